/** Where a page keeps what tuning found: in its browser, or, where `npm start` asked for the run, in a file there. */

export interface TuningStore {
  /** What was saved last; null if nothing was. */
  load(): Promise<string | null>;
  save(text: string): Promise<void>;
}

/** @param url where the terminal takes and gives it; null: a database of the page's origin */
export const tuningStore = (url: string | null): TuningStore => (url === null ? inBrowser : inFile(url));

const inFile = (url: string): TuningStore => ({
  async load() {
    const response = await fetch(url);
    return response.status === 200 ? response.text() : null;
  },
  async save(text) {
    const response = await fetch(url, { method: "POST", body: text });
    if (!response.ok) throw new Error(await response.text());
  },
});

const [DATABASE, STORE, KEY] = ["flywheel", "tuning", "latest"] as const;

const inBrowser: TuningStore = {
  async load() {
    const text = await inStore("readonly", (store) => store.get(KEY) as IDBRequest<unknown>);
    return typeof text === "string" ? text : null;
  },
  async save(text) {
    await inStore("readwrite", (store) => store.put(text, KEY));
  },
};

/** One request, done once its transaction is. */
async function inStore<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(STORE);
  const database = await answerOf(opening);
  try {
    return await answerOf(ask(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close(); // once its transactions are done
  }
}

const answerOf = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("The browser's storage did not answer."));
  });
