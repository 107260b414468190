/** Parts of Node that take a sixth of the time a process needs to start: loaded when they are wanted, or while it waits. */
export const nodeCrypto = () => process.getBuiltinModule('node:crypto')
export const nodeZlib = () => process.getBuiltinModule('node:zlib')
export const nodeModule = () => process.getBuiltinModule('node:module')
/** Loaded beside what the first isolate does by itself. */
export const nodeNet = () => process.getBuiltinModule('node:net')
