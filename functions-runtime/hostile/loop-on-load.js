// A loop before there is a function.
// expect: TIMEOUT
while (true);
export default () => {}
