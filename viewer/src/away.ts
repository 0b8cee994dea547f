/*
 * What a room shows in place of the browser's error page when it is opened again while the hub is away: a service
 * worker for one room, and the script of the page that it then answers with. It is one file, and imports nothing:
 * browsers take a worker that is a module only of late. It keeps nothing but that page, its style and this file.
 */

interface Worker {
  addEventListener(kind: 'install' | 'activate', f: () => void): void;
  addEventListener(kind: 'fetch', f: (e: Fetched) => void): void;
  registration: ServiceWorkerRegistration;
  skipWaiting(): Promise<void>;
}
interface Fetched {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}

if ('document' in globalThis) page();
else worker(globalThis as unknown as Worker);

function worker(self: Worker): void {
  const scope = new URL(self.registration.scope).pathname;
  self.addEventListener('install', () => void self.skipWaiting());
  self.addEventListener('fetch', (e) => {
    const { request } = e;
    const { origin, pathname } = new URL(request.url);
    if (request.method !== 'GET' || origin !== location.origin) return;
    if (request.mode === 'navigate' && pathname === scope) e.respondWith(opened(request));
    else if (pathname.startsWith('/assets/')) e.respondWith(asset(request));
  });

  /** The room, else the page that waits for it. */
  async function opened(request: Request): Promise<Response> {
    try {
      const answer = await fetch(request);
      // A session that is over, or a code that opens nothing any more: there is nothing left to guard.
      if (answer.status === 404 || answer.status === 410) void self.registration.unregister();
      if (answer.status < 502 || answer.status > 504) return answer;
      return (await kept()) ?? answer;
    } catch (e) {
      const page = await kept();
      if (page) return page;
      throw e;
    }
  }

  /** Names of assets carry a hash of their content: a copy is as good. */
  async function asset(request: Request): Promise<Response> {
    return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
  }

  function kept(): Promise<Response | undefined> {
    return caches.match('/atelier/hors-ligne', { ignoreVary: true });
  }
}

/** Says how many answers wait here, and opens the room again once the hub answers. */
function page(): void {
  const every = 3000; // milliseconds between two looks at the hub
  const room = location.pathname.split('/')[2] ?? '';
  const places = document.querySelector<HTMLElement>('[data-waiting]');
  const request = indexedDB.open('calanque-atelier');
  request.onupgradeneeded = () => request.transaction?.abort(); // nothing was ever kept
  request.onsuccess = () => {
    const db = request.result;
    const all = db.transaction('answers').objectStore('answers').getAll() as IDBRequest<{ room: string }[]>;
    all.onsuccess = () => {
      const n = all.result.filter((w) => w.room === room).length;
      db.close();
      const { one, many } = places?.dataset ?? {};
      if (n > 0 && places) places.textContent = (n === 1 ? one : many?.replace('99', String(n))) ?? '';
    };
  };
  const look = async (): Promise<void> => {
    try {
      const answer = await fetch('/readyz', { cache: 'no-store' });
      if (answer.ok) return location.reload();
    } catch {
      // Still away.
    }
    setTimeout(() => void look(), every);
  };
  setTimeout(() => void look(), every);
  document.querySelector('button')?.addEventListener('click', () => location.reload());
}
