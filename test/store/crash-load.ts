import { writeSync } from 'node:fs';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { IdempotencyKey } from '#store/idempotency.ts';
import type { Store, Tx } from '#store/store.ts';

/**
 * Process that writes changes and records until it is killed: `node crash-load.ts <url or folder> <round> [unsafe]`.
 * It prints each change or record after the store has acknowledged it as durable.
 * `unsafe` disables the fsync, to show that the test detects lost changes.
 */
const [target = '', round = '', unsafe] = process.argv.slice(2);
const WRITERS = 16;

const accountId = '000000000001' as AccountId;
const document = JSON.stringify({ requestParameters: 'x'.repeat(700) });

const FIRST_RESPONSE = { requestHash: '', answer: '{}', expiresAt: instant(Date.now() + 86_400_000) };

function tokenKey(token: string): IdempotencyKey {
  return { accountId, region: 'us-east-1', operation: 'load', token };
}

function record(tx: Tx, eventId: string): Promise<void> {
  const event = { eventName: 'CreateMeeting', eventSource: 'chime.amazonaws.com', readOnly: false, resources: [], document };
  return tx.trail.append({ eventId, accountId, region: 'us-east-1', at: instant(Date.now()), ...event });
}

/** Prints the name of an acknowledged write. If the pipe is full, waits until the reader has read from it. */
function acknowledge(name: string): void {
  for (let rest = Buffer.from(`${name}\n`); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

async function write(store: Store, writer: number): Promise<never> {
  for (let n = 0; ; n++) {
    const id = `${round}-${writer}-${n}`;
    if (n % 4 === 3) {
      // Writes only a record, as the server does for a refused request.
      await store.transaction((tx) => record(tx, `record ${id}`));
      acknowledge(`record ${id}`);
      continue;
    }
    await store.transaction(async (tx) => {
      await tx.identity.put(accountId, 'membership', `change ${id}`, { accountId });
      await tx.meta.put(`change ${id}`, 'yes');
      await tx.idempotency.put(tokenKey(`change ${id}`), FIRST_RESPONSE);
      await record(tx, `change ${id}`);
    });
    acknowledge(`change ${id}`);
    const undone = store.transaction(async (tx) => {
      await tx.meta.put(`undone ${id}`, 'yes');
      await tx.idempotency.put(tokenKey(`undone ${id}`), FIRST_RESPONSE);
      throw new Error('rolled back');
    });
    await undone.catch(() => {});
  }
}

const store = target.startsWith('postgres:')
  ? await openPostgres(target)
  : await openSqlite(target, unsafe === 'unsafe' ? { syncLog: (done) => done(null) } : {});
await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(store, writer)));
