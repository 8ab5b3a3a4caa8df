import type { Drawing } from './drawing.js';

/** What is kept: some 90 MB at the very most, were each of them four PNGs begun with a large picture. */
export const MAX_DRAWINGS = 24;

const DATABASE = 'sd-turbo';
const STORE = 'drawings';

/** The last drawings, newest first, in this browser's IndexedDB; in memory where a browser does not allow that. */
export class DrawingStore {
  readonly #database: IDBDatabase | undefined;
  #drawings: readonly Drawing[];

  private constructor(database: IDBDatabase | undefined, drawings: readonly Drawing[]) {
    this.#database = database;
    this.#drawings = drawings;
  }

  static async open(): Promise<DrawingStore> {
    try {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
      const database = await settled(request);
      const stored: Drawing[] = await settled(database.transaction(STORE).objectStore(STORE).getAll());
      return new DrawingStore(
        database,
        stored.sort((a, b) => b.at - a.at),
      );
    } catch {
      return new DrawingStore(undefined, []);
    }
  }

  /** Whether they are still there when the page is opened again. */
  get isLasting(): boolean {
    return this.#database !== undefined;
  }

  get drawings(): readonly Drawing[] {
    return this.#drawings;
  }

  /** Resolves when it is kept. */
  add(drawing: Drawing): Promise<void> {
    const all = [drawing, ...this.#drawings];
    this.#drawings = all.slice(0, MAX_DRAWINGS);
    return this.#change((store) => {
      store.put(drawing);
      for (const { id } of all.slice(MAX_DRAWINGS)) store.delete(id);
    });
  }

  /** Resolves when they are gone. */
  clear(): Promise<void> {
    this.#drawings = [];
    return this.#change((store) => store.clear());
  }

  /** What cannot be kept, because the disk is full for example, is there until the page is closed. */
  #change(change: (store: IDBObjectStore) => void): Promise<void> {
    return new Promise((resolve) => {
      try {
        const transaction = this.#database?.transaction(STORE, 'readwrite');
        if (!transaction) return resolve();
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => resolve();
        change(transaction.objectStore(STORE));
      } catch {
        // The browser has closed the database.
        resolve();
      }
    });
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
