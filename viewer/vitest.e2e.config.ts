import { defineConfig } from 'vitest/config';

// The browser against a running hub: BASE_URL=http://127.0.0.1:8080 npm run e2e
// What `calanque demo --json` prints goes into BASE_SIGN_IN; without it nobody signs in, and those tests are skipped.
export default defineConfig({
  test: {
    environment: 'node',
    // Vitest keeps BASE_URL for itself inside the tests.
    env: {
      HUB_URL: process.env.BASE_URL ?? 'http://127.0.0.1:8080',
      HUB_SIGN_IN: process.env.BASE_SIGN_IN ?? '',
    },
    include: ['e2e/**/*.test.ts'],
    testTimeout: 60000,
    hookTimeout: 60000,
    fileParallelism: false,
    maxWorkers: 1,
  },
});
