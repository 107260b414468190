// A source map that is a bomb.
// expect: THREW TIMEOUT
// map: bomb
export default () => {
  throw new Error('x')
}
