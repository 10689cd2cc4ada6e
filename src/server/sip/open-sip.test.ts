import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { rememberedAddresses } from './open-sip.ts';

test('rememberedAddresses: with silent DNS servers, a host has no addresses before all attempts are made', async (t) => {
  let queries = 0;
  const servers = await Promise.all(
    [1, 2, 3].map(async () => {
      const socket = createSocket('udp4').on('message', () => queries++);
      t.after(() => socket.close());
      await new Promise<void>((bound) => void socket.bind(0, '127.0.0.1', bound));
      return `127.0.0.1:${socket.address().port}`;
    }),
  );
  const resolve = rememberedAddresses(servers);
  assert.deepEqual(await resolve('pbx.example.com'), []);
  // The resolver asks each of the three servers twice, which takes five seconds.
  assert.ok(queries > 0 && queries < 6, `${queries} queries`);
  const before = queries;
  assert.deepEqual(await resolve('pbx.example.com'), []);
  assert.equal(queries, before);
});
