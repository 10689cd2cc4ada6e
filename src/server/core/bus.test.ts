import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import pg from 'pg';
import { testPostgres } from '../../../test/store/test-postgres.ts';
import { type Bus, inProcessBus, postgresBus } from './bus.ts';

const postgres = await testPostgres();
const buses: Bus[] = [];
after(async () => {
  for (const bus of buses) await bus.close();
  await postgres.stop();
});
function opened(bus: Bus): Bus {
  buses.push(bus);
  return bus;
}

/** Resolves at the next hint of a topic. A hint is a notification that something has changed. */
function nextHint(bus: Bus, topic: string): Promise<void> {
  return new Promise((resolve) => {
    const off = bus.on(topic, () => {
      off();
      resolve();
    });
  });
}

/**
 * Returns a bus that listens to PostgreSQL's notifications. When it begins to listen, its subscribers of every topic
 * receive a hint.
 */
async function listening(): Promise<Bus> {
  const bus = opened(postgresBus(postgres.url));
  await nextHint(bus, 'identity');
  return bus;
}

describe('the bus of hints between servers', () => {
  for (const [title, open] of [
    ['in the process', async () => opened(inProcessBus())],
    ['of PostgreSQL', listening],
  ] as const) {
    test(`the bus ${title}: a sender receives its own hints on subscribed topics, once per event-loop turn`, async () => {
      const bus = await open();
      let count = 0;
      bus.on('identity', () => count++);
      const off = bus.on('identity', () => assert.fail('it listens no more'));
      off();
      const hinted = nextHint(bus, 'other');
      for (const topic of ['identity', 'identity', 'identity', 'other']) bus.hint(topic);
      await hinted;
      assert.equal(count, 1);
    });
  }

  test('the bus of PostgreSQL: a hint reaches another server', async () => {
    const [here, there] = [await listening(), await listening()];
    const hinted = nextHint(there, 'identity');
    here.hint('identity');
    await hinted;
  });

  test('the bus of PostgreSQL: a lost connection is opened again, and then every topic gets a hint', async () => {
    const bus = await listening();
    const hinted = nextHint(bus, 'a topic without hints');
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'belfry bus' AND datname = current_database()",
    );
    await hinted;
    await client.end();
  });

  test('the bus: a topic that is too long is an error', () => {
    assert.throws(() => opened(inProcessBus()).hint('t'.repeat(201)), /too long/);
  });
});
