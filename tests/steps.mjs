// Steps of a script that tests: each is run, one line a step is printed, and in the end how many held.

let passed = 0;
let failed = 0;

/** Runs a step; one that throws has failed, of which `failing` is told the number, and the others are still run. */
export async function step(name, check, failing = () => {}) {
  try {
    await check();
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n        ${String(error.message ?? error).replaceAll("\n", "\n        ")}`);
    await failing(failed);
  }
}

/** Says how many steps held; the program's exit code is 1 if one did not. */
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}
