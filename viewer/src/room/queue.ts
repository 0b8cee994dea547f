/** An answer that the hub has not acknowledged yet. */
export interface Waiting {
  key: string; // idempotency key: however often it is sent, it counts once
  room: string;
  action: string; // where the form goes
  body: string; // the form, urlencoded
  task: string;
  at: number; // milliseconds
  tried?: boolean; // it was sent once: the hub may have it
}

/** After this long no session takes an answer any more: a machine that everybody uses forgets it. */
const tooOld = 30 * 60 * 60 * 1000;

const store = 'answers';

/** The answers of this browser that wait for the hub, kept through a reload and a crash. */
export class Queue {
  readonly #db: IDBDatabase;
  readonly #room: string;

  private constructor(db: IDBDatabase, room: string) {
    this.#db = db;
    this.#room = room;
  }

  /** Opens the queue of a room; null where the browser keeps nothing: answers then go as forms do. */
  static async open(room: string, now = Date.now()): Promise<Queue | null> {
    try {
      const request = indexedDB.open('calanque-atelier', 1);
      request.onupgradeneeded = () => request.result.createObjectStore(store, { keyPath: 'key' });
      const queue = new Queue(await done(request), room);
      for (const w of await queue.#all()) if (now - w.at > tooOld) await queue.remove(w.key);
      return queue;
    } catch {
      return null;
    }
  }

  /** Keeps an answer; it is on disk when this returns. */
  add(waiting: Omit<Waiting, 'room'>): Promise<void> {
    return this.#write((s) => s.put({ ...waiting, room: this.#room }));
  }

  remove(key: string): Promise<void> {
    return this.#write((s) => s.delete(key));
  }

  /** This room's answers, in the order they were given. */
  async list(): Promise<Waiting[]> {
    return (await this.#all()).filter((w) => w.room === this.#room).sort((a, b) => a.at - b.at);
  }

  #all(): Promise<Waiting[]> {
    return done(this.#db.transaction(store).objectStore(store).getAll() as IDBRequest<Waiting[]>);
  }

  #write(act: (s: IDBObjectStore) => unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const tx = this.#db.transaction(store, 'readwrite', { durability: 'strict' });
      tx.oncomplete = () => resolve();
      tx.onerror = tx.onabort = () => reject(tx.error);
      act(tx.objectStore(store));
    });
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
