// Waits until the hub whose log is given is ready, and prints its address. Fails after three minutes.
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

for (let tries = 0; tries < 900; tries++) {
  const url = /http:\/\/localhost:\d+/.exec(readFileSync(process.argv[2], 'utf8'))?.[0];
  const answer = url && (await fetch(url + '/readyz').catch(() => undefined));
  if (answer?.ok) {
    console.log(url);
    process.exit(0);
  }
  await pause(200);
}
process.exit(1);
