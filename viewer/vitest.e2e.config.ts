import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const signIn = process.env.DEMO_JSON ?? '';

// The browser against a running hub: BASE_URL=http://127.0.0.1:8080 npm run e2e
// DEMO_JSON is the file that `calanque demo --json` wrote: how its mediator signs in; without it those tests are skipped.
export default defineConfig({
  test: {
    environment: 'node',
    // Vitest keeps BASE_URL for itself inside the tests.
    env: {
      HUB_URL: process.env.BASE_URL ?? 'http://127.0.0.1:8080',
      DEMO_JSON: signIn,
      HUB_SIGN_IN: signIn === '' ? '' : readFileSync(signIn, 'utf8'),
    },
    include: ['e2e/**/*.test.ts'],
    testTimeout: 60000,
    hookTimeout: 60000,
    retry: 2, // a browser beside the hub it asks, on two cores
    fileParallelism: false,
    maxWorkers: 1,
  },
});
