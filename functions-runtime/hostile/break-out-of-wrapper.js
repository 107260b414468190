// Text that ends what it is put into.
// expect: ANSWER THREW INVALID_ANSWER
// raw: }))); globalThis.outside = typeof process; ((() => ((() => {
export default ({ res }) => res.text('contained')
