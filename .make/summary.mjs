// Reads `go test -json` and prints what a reader wants: a line for each package, the whole output of what failed,
// why tests were skipped, and at the end how many ran.
import { createInterface } from 'node:readline';

const outputs = new Map(); // package and test → its lines so far
const count = { pass: 0, fail: 0, skip: 0 };

for await (const line of createInterface({ input: process.stdin })) {
  let event;
  try {
    event = JSON.parse(line);
  } catch {
    console.log(line); // go itself, before any test
    continue;
  }
  const { Action: action, Package: pkg, Test: test, Output: text } = event;
  if (action === 'build-output') {
    process.stdout.write(text);
  } else if (!test) {
    if (action === 'output' && !/^PASS\n|no test files/.test(text)) process.stdout.write(text);
  } else if (action === 'output') {
    const key = `${pkg} ${test}`;
    outputs.set(key, (outputs.get(key) ?? '') + text);
  } else if (action in count) {
    count[action]++;
    const said = (outputs.get(`${pkg} ${test}`) ?? '').replace(/^=== .*\n/gm, '');
    if (action !== 'pass') process.stdout.write(said);
    outputs.delete(`${pkg} ${test}`);
  }
}
// A test that never ended (a panic, a timeout) has said why.
for (const [key, text] of outputs) process.stdout.write(`${key} did not end:\n${text}`);
console.log(`go test: ${count.pass} passed, ${count.fail} failed, ${count.skip} skipped`);
