/** The client of witnesses, with real witnesses and with hostile servers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { writeDurably } from '#server/durable-file.ts';
import { openCheckpoint } from '#tlog/checkpoint.ts';
import { formatSignatureLine, parseNote, signText } from '#tlog/note.ts';
import { createSigningKey, type NoteKey } from '#tlog/note-key.ts';
import { createWitness } from '#tlog/witness/witness.ts';
import { createWitnessClient, type WitnessAddress } from '#tlog/witness/witness-client.ts';
import { openWitnessFolder } from '#tlog/witness/witness-folder.ts';
import { startWitnessServer } from '#tlog/witness/witness-server.ts';
import { newFolder } from '../kit/folder.ts';
import { entriesOf, memoryLog } from '../kit/tlog.ts';

/** Starts a witness in this process, which knows the logs. */
async function startInProcess(name: string, logs: readonly NoteKey[]): Promise<WitnessAddress> {
  const folder = openWitnessFolder(newFolder('witness'), writeDurably);
  for (const key of logs) folder.addLog(key);
  const signingKey = folder.createKey(name);
  const witness = createWitness({ signingKey, folder, now: Date.now, onFork: () => {} });
  const server = await startWitnessServer({ witness, host: '127.0.0.1', port: 0, onError: assert.ifError });
  after(() => server.stop());
  return { url: server.url, key: signingKey.key };
}

/** Starts a server that responds as a test says. */
async function startHostile(respond: RequestListener): Promise<WitnessAddress> {
  const server = createServer(respond).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: createSigningKey('hostile', 'witness').key };
}

test('WitnessClient: collects a cosignature of each witness, also if one already has an older tree', async () => {
  const log = memoryLog();
  await log.append(entriesOf(300));
  const witnesses = await Promise.all(['w1', 'w2', 'w3'].map((name) => startInProcess(name, [log.signingKey.key])));
  await createWitnessClient({ witnesses: witnesses.slice(0, 1) }).cosign(await log.checkpoint(255), log.read);
  const client = createWitnessClient({ witnesses });
  const keys = witnesses.map(({ key }) => key);
  for (const size of [257, 300, 300]) {
    const { checkpoint, outcomes } = await client.cosign(await log.checkpoint(size), log.read);
    assert.deepEqual(
      outcomes.map(({ outcome }) => outcome),
      ['cosigned', 'cosigned', 'cosigned'],
    );
    const opened = openCheckpoint(checkpoint, log.signingKey.key, keys);
    assert.deepEqual(
      [opened?.size, opened?.cosignatures.map(({ key }) => key.name), parseNote(checkpoint).signatures.length],
      [size, ['w1', 'w2', 'w3'], 4],
    );
  }
  // A cosigned checkpoint that is cosigned again has one cosignature per witness.
  const first = await client.cosign(await log.checkpoint(300), log.read);
  assert.equal(parseNote((await client.cosign(first.checkpoint, log.read)).checkpoint).signatures.length, 4);
  const latest = await client.latest([log.signingKey.key]);
  assert.deepEqual(
    latest.map((each) => each.outcome === 'known' && each.size),
    [300, 300, 300],
  );
});

test('WitnessClient: an old tree is ahead, a fork is forked, and an unknown log is refused', async () => {
  const log = memoryLog();
  await log.append(entriesOf(30));
  const fork = memoryLog(log.signingKey);
  await fork.append([...entriesOf(19), ...entriesOf(30, 700)]);
  const stranger = memoryLog(createSigningKey('other.example/1', 'log'));
  await stranger.append(entriesOf(3));
  const client = createWitnessClient({ witnesses: [await startInProcess('w1', [log.signingKey.key])] });
  assert.deepEqual(await client.latest([log.signingKey.key]), [{ outcome: 'none' }]);
  await client.cosign(await log.checkpoint(20), log.read);
  assert.deepEqual((await client.cosign(await log.checkpoint(12), log.read)).outcomes, [{ outcome: 'ahead', witnessSize: 20 }]);
  for (const size of [20, 49]) {
    const forked = await client.cosign(await fork.checkpoint(size), fork.read);
    assert.deepEqual(forked.outcomes, [{ outcome: 'forked', witnessSize: 20 }]);
    assert.equal(forked.checkpoint, await fork.checkpoint(size));
  }
  const [refused] = (await client.cosign(await stranger.checkpoint(3), stranger.read)).outcomes;
  assert.deepEqual(refused, { outcome: 'refused', reason: "status 404: unknown log 'other.example/1'" });
});

const JUNK = createSigningKey('hostile', 'witness');
// biome-ignore format: a table
const HOSTILE: readonly [title: string, respond: RequestListener, reason: RegExp][] = [
  ['never responds',                 () => {},                                                                          /no response in time/],
  ['sends its body forever',         (_, r) => { r.writeHead(200); const send = (): void => { r.write('x'.repeat(65_536), send); }; send(); }, /too large/],
  ['closes the connection',          (q) => q.socket.destroy(),                                                         /fetch failed/],
  ['redirects',                      (_, r) => r.writeHead(307, { location: 'http://127.0.0.1:9/' }).end(),             /fetch failed/],
  ['cosigns with another key',       (_, r) => r.end(formatSignatureLine(signText(JUNK, 'other text\n', 1))),           /without a valid cosignature/],
  ['responds 200 with no line',      (_, r) => r.end(),                                                                 /without a valid cosignature/],
  ['responds 200 with a page',       (_, r) => r.end('<html>\n'),                                                       /a signature line is/],
  ['responds 409 with no size',      (_, r) => r.writeHead(409).end('7\n'),                                             /409 without a size/],
  ['responds 409 with a bad size',   (_, r) => r.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end('-1\n'),    /409 without a size/],
  ['responds 500',                   (_, r) => r.writeHead(500).end('out of order'),                                    /status 500: out of order/],
];
for (const [title, respond, reason] of HOSTILE) {
  test(`WitnessClient: a witness that ${title} fails, and another one still cosigns`, async () => {
    const log = memoryLog();
    await log.append(entriesOf(9));
    const witnesses = [await startHostile(respond), await startInProcess('w1', [log.signingKey.key])];
    // Only the first case waits for the end of this time.
    const timeoutMs = title === 'never responds' ? 3_000 : 60_000;
    const { checkpoint, outcomes } = await createWitnessClient({ witnesses, timeoutMs }).cosign(await log.checkpoint(9), log.read);
    const [failed, cosigned] = outcomes;
    assert.deepEqual([failed?.outcome, cosigned?.outcome], ['failed', 'cosigned']);
    assert.match(failed?.outcome === 'failed' ? failed.reason : '', reason);
    assert.equal(parseNote(checkpoint).signatures.length, 2);
  });
}

test('WitnessClient: a witness whose size changes at each request gets at most three requests', async () => {
  let requests = 0;
  const witness = await startHostile((_, response) => {
    requests += 1;
    response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end(`${requests}\n`);
  });
  const log = memoryLog();
  await log.append(entriesOf(9));
  const { outcomes } = await createWitnessClient({ witnesses: [witness] }).cosign(await log.checkpoint(9), log.read);
  assert.deepEqual([outcomes[0]?.outcome, requests], ['failed', 3]);
});

test('createWitnessClient: the URL and the key of a witness are checked', () => {
  const { key } = createSigningKey('w', 'witness');
  for (const url of ['ftp://w.example', 'https://ada:secret@w.example', 'https://w.example/', 'https://w.example?x', 'w.example'])
    assert.throws(
      () => createWitnessClient({ witnesses: [{ url, key }] }),
      (error: Error) => !error.message.includes('secret'),
    );
  assert.throws(
    () => createWitnessClient({ witnesses: [{ url: 'https://w.example/prefix', key: createSigningKey('l', 'log').key }] }),
    /not the key of a witness/,
  );
});
