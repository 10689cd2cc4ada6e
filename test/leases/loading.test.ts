/** Tests health probes and requests while a running server loads all identity records again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inProcessBus } from '#server/core/bus.ts';
import { newHealth } from '#server/health.ts';
import { openStore } from '#store/engine/open.ts';
import { openServers } from '#store/engine/open-servers.ts';
import type { IdentityPage } from '#store/engine/servers.ts';
import { startTestCore } from '../kit/core.ts';
import { until } from '../kit/until.ts';

test('Health: while identity records load again, the readiness probe and all requests return 503', async () => {
  const store = await openStore('file::memory:', {});
  const registry = await openServers('file::memory:', store);
  let epoch = 'first';
  let pages = Promise.resolve();
  let released = (): void => {};
  let isReading = false;
  const ofEpoch = <Read extends { readonly epoch: string }>(read: Read): Read => ({ ...read, epoch });
  const servers = {
    ...registry.servers,
    renew: async (id: string, since: number) => ofEpoch(await registry.servers.renew(id, since)),
    async page(after?: Parameters<typeof registry.servers.page>[0]): Promise<IdentityPage> {
      const page = ofEpoch(await registry.servers.page(after));
      isReading = true;
      await pages;
      return page;
    },
  };
  const bus = inProcessBus();
  const now = 1;
  const health = newHealth(() => now);
  const core = await startTestCore({
    ...{ store, registry: { ...registry, servers, shared: true }, bus, leaseMilliseconds: 60_000 },
    readyForMs: (milliseconds) => health.coreReadyUntil(now + milliseconds),
    report: () => {},
  });
  health.started();
  const ready = () => health.answer('GET', '/_belfry/ready')?.status;
  const list = () => core.iam({ Action: 'ListUsers' });
  await until(
    () => ready() === 200,
    () => 'the started server is not ready',
  );
  await list();

  isReading = false;
  pages = new Promise((resolve) => {
    released = resolve;
  });
  epoch = 'second';
  /**
   * Returns `isDone`. If `isDone` is false, first requests a renewal of the lease, so that the test does not wait for
   * the next scheduled renewal.
   */
  const renewed = (isDone: boolean): boolean => {
    if (!isDone) bus.hint('identity');
    return isDone;
  };
  await until(
    () => renewed(isReading && ready() === 503),
    () => `ready is ${ready()} while identity is loaded`,
  );
  await assert.rejects(list(), /ServiceUnavailable/);
  released();
  await until(
    () => renewed(ready() === 200),
    () => `ready is ${ready()} after identity was loaded`,
  );
  await list();
});
