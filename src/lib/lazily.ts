/** An object each of whose values is made when it is first looked at. */
export function lazily<T extends object>(makers: { readonly [Key in keyof T]: () => T[Key] }): T {
  const made = {}
  for (const key of Object.keys(makers) as (keyof T)[]) {
    const get = () => {
      const value = makers[key]()
      Object.defineProperty(made, key, { value, enumerable: true })
      return value
    }
    Object.defineProperty(made, key, { get, enumerable: true, configurable: true })
  }
  return made as T
}
