import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from './testing.ts';
import { lean } from './lean.ts';
import { defineConfig } from 'vitest/config';

// Nothing is inlined as data: (the content security policy is default-src 'self'),
// and the manifest tells the Go side which files a page needs.
export default defineConfig({
  base: '/assets/',
  plugins: [lean(), svelte(), svelteTesting()],
  build: {
    target: 'es2022',
    sourcemap: false,
    reportCompressedSize: true,
    manifest: 'manifest.json',
    assetsDir: '',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ['src/main.ts', 'src/atelier.ts', 'src/away.ts', 'src/portal.ts'] },
  },
  server: { host: '127.0.0.1' },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts'] },
});
