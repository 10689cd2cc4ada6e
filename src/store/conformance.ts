import { after, before, describe } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { NOON, type Suite } from './conformance-fixtures.ts';
import type { Store, StoreOptions, Tx } from './store.ts';

/** Runs the conformance suites on one engine. `open` returns an empty store. */
export function storeConformance(
  engine: string,
  open: (options: StoreOptions) => Promise<Store>,
  suites: readonly ((suite: Suite) => void)[],
): void {
  describe(`store, ${engine}`, () => {
    let store: Store;
    let now = NOON as number;
    let account = 0;
    before(async () => {
      store = await open({ now: () => now });
    });
    after(() => store.close());
    const within = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => store.transaction(work);
    const fresh = (): AccountId => String(++account).padStart(12, '0') as AccountId;
    const setClock = (moment: number): void => {
      now = Math.max(now, moment);
    };
    for (const suite of suites) suite({ within, fresh, setClock });
  });
}
