/** `belfry witness` as a process: its HTTP interface, forks by an attacker with the log's key, concurrent clients, restarts and SIGKILL. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { writeDurably } from '#server/durable-file.ts';
import { openCheckpoint } from '#tlog/checkpoint.ts';
import { proveConsistency } from '#tlog/merkle.ts';
import { formatVkey } from '#tlog/note-key.ts';
import { formatAddCheckpoint } from '#tlog/witness/add-checkpoint.ts';
import { createWitnessClient } from '#tlog/witness/witness-client.ts';
import { openWitnessFolder } from '#tlog/witness/witness-folder.ts';
import { newFolder } from '../kit/folder.ts';
import { belfry } from '../kit/process.ts';
import { entriesOf, type MemoryLog, memoryLog } from '../kit/tlog.ts';
import { startWitness, type WitnessProcess } from './witness-process.ts';

async function logOf(entries: readonly Uint8Array[], signingKey?: MemoryLog['signingKey']): Promise<MemoryLog> {
  const log = memoryLog(signingKey);
  await log.append(entries);
  return log;
}

function addLog(folder: string, log: MemoryLog): void {
  openWitnessFolder(folder, writeDurably).addLog(log.signingKey.key);
}

/** Submits a checkpoint with its proof. Returns the status, the media type and the body. */
async function submit(witness: WitnessProcess, log: MemoryLog, oldSize: number, size: number) {
  const body = formatAddCheckpoint({
    oldSize,
    proof: await proveConsistency(log.read, oldSize, size),
    checkpoint: await log.checkpoint(size),
  });
  return await post(witness, body);
}

async function post(witness: WitnessProcess, body: string | Uint8Array<ArrayBuffer>) {
  const response = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body });
  return [response.status, response.headers.get('content-type'), await response.text()] as const;
}

/** Returns the size of the latest checkpoint, which the witness must have cosigned. */
async function latestSize(witness: WitnessProcess, log: MemoryLog): Promise<number | undefined> {
  const response = await fetch(
    `${witness.url}/${createHash('sha256').update(log.signingKey.key.name).digest('hex').toUpperCase()}/checkpoint`,
  );
  if (response.status !== 200) return undefined;
  const opened = openCheckpoint(await response.text(), log.signingKey.key, [witness.key]);
  assert.equal(opened?.cosignatures.length, 1);
  return opened?.size;
}

test('belfry witness: HTTP statuses, a log that is added while it runs, a fork with the signing key, and a restart', async () => {
  const folder = newFolder('witness');
  const witness = await startWitness(folder);
  const log = await logOf(entriesOf(40));
  const fork = await logOf([...entriesOf(9), ...entriesOf(31, 500)], log.signingKey);
  assert.equal((await submit(witness, log, 0, 10))[0], 404);
  const added = await belfry(['witness', 'add-log', '--data', folder, '--vkey', formatVkey(log.signingKey.key)]);
  assert.deepEqual([added.status, added.stdout], [0, "belfry witness: added the key of the log 'log.example/1'\n"], added.stderr);
  assert.equal(await latestSize(witness, log), undefined);
  const [status, type, body] = await submit(witness, log, 0, 10);
  assert.deepEqual([status, type, body.startsWith('— w.example/1 ')], [200, 'text/plain; charset=utf-8', true]);
  assert.deepEqual(await submit(witness, log, 3, 20), [409, 'text/x.tlog.size', '10\n']);
  assert.equal((await submit(witness, log, 10, 10))[0], 200);
  for (const [forked, oldSize, size, expected] of [
    [fork, 10, 10, 422],
    [fork, 10, 40, 422],
    [fork, 0, 40, 409],
    [log, 4, 4, 409],
  ] as const)
    assert.equal((await submit(witness, forked, oldSize, size))[0], expected, `${oldSize} to ${size}`);
  assert.match(
    witness.written(),
    /error the log 'log.example\/1' signed a tree of 10 leaves that does not continue its cosigned tree of 10 leaves:/,
  );
  assert.equal(await witness.end('SIGTERM'), 0);

  const restarted = await startWitness(folder);
  assert.equal(formatVkey(restarted.key), formatVkey(witness.key));
  assert.equal(await latestSize(restarted, log), 10);
  assert.equal((await submit(restarted, fork, 10, 40))[0], 422);
  assert.equal((await submit(restarted, log, 10, 40))[0], 200);
  const [listed] = await Promise.all([
    belfry(['witness', 'list-logs', '--data', folder]),
    assert.rejects(startWitness(folder), /another witness runs with the folder/),
  ]);
  assert.match(listed.stdout, /^ORIGIN +SIZE {2}KEYS\nlog\.example\/1 {2}40 {4}/);
  assert.ok(listed.stdout.endsWith(` ${formatVkey(log.signingKey.key)}\n`));
});

test('belfry witness: bodies that are too large or not UTF-8, other paths and other methods are refused', async () => {
  const witness = await startWitness(newFolder('witness'));
  // The response arrives before the client has sent the whole body.
  const large = httpRequest(`${witness.url}/add-checkpoint`, { method: 'POST', headers: { 'content-length': 10_000_000 } });
  large.write(Buffer.alloc(140_000));
  const [response] = (await once(large, 'response')) as [IncomingMessage];
  assert.equal(response.resume().statusCode, 413);
  await Promise.all([once(response, 'end'), once(large, 'close')]);
  assert.equal((await post(witness, new Uint8Array([0xff])))[0], 400);
  assert.equal((await post(witness, 'old 0\n'))[0], 400);
  // biome-ignore format: a table
  for (const [method, path, status] of [
    ['GET',    '/add-checkpoint',                   405],
    ['POST',   `/${'0'.repeat(64)}/checkpoint`,     405],
    ['GET',    `/${'0'.repeat(64)}/checkpoint`,     404],
    ['GET',    `/${'0'.repeat(63)}/checkpoint`,     404],
    ['GET',    '/../witness.key',                   404],
    ['GET',    '/logs/..%2fwitness.key/checkpoint', 404],
    ['GET',    '/',                                 404],
  ] as const) {
    // fetch() would remove '..' from the path.
    const answered = await new Promise<number | undefined>((resolve, reject) => {
      httpRequest(witness.url, { method, path }, (response) => resolve(response.resume().statusCode)).on('error', reject).end();
    });
    assert.equal(answered, status, `${method} ${path}`);
  }
  // A client that never sends its whole request does not prevent the stop.
  const unfinished = httpRequest(`${witness.url}/add-checkpoint`, { method: 'POST', headers: { 'content-length': 10 } });
  const closed = new Promise<void>((resolve) => {
    unfinished.on('error', () => {}).on('close', () => resolve());
  });
  await new Promise<void>((sent) => unfinished.write('old', () => sent()));
  assert.equal(await witness.end('SIGTERM'), 0);
  await closed;
});

test('belfry witness: of requests from one size at once, exactly one is cosigned', async () => {
  const folder = newFolder('witness');
  const log = await logOf(entriesOf(60));
  const witness = await startWitness(folder);
  addLog(folder, log);
  assert.equal((await submit(witness, log, 0, 20))[0], 200);
  const replies = await Promise.all(Array.from({ length: 12 }, (_, i) => submit(witness, log, 20, 21 + i)));
  assert.equal(replies.filter(([status]) => status === 200).length, 1);
  const size = 21 + replies.findIndex(([status]) => status === 200);
  for (const [status, , body] of replies) assert.ok(status === 200 || (status === 409 && body === `${size}\n`), `${status} ${body}`);
  assert.equal(await latestSize(witness, log), size);

  const clients = [1, 2].map(() => createWitnessClient({ witnesses: [{ url: witness.url, key: witness.key }] }));
  const outcomes = await Promise.all(
    clients.map(async (client) => (await client.cosign(await log.checkpoint(60), log.read)).outcomes[0]?.outcome),
  );
  assert.deepEqual(outcomes, ['cosigned', 'cosigned']);
  assert.equal(await latestSize(witness, log), 60);
});

test('belfry witness: after SIGKILL it holds every tree that it cosigned, and refuses a fork of it', async () => {
  const folder = newFolder('witness');
  const log = await logOf(entriesOf(400));
  const killed = await startWitness(folder);
  addLog(folder, log);
  const cosigned = 11;
  for (let size = 1; size <= cosigned; size += 1) assert.equal((await submit(killed, log, size - 1, size))[0], 200);
  // The process ends while the next request is on its way.
  const interrupted = submit(killed, log, cosigned, cosigned + 1).catch(() => [0] as const);
  await killed.end('SIGKILL');
  const [status] = await interrupted;
  const witness = await startWitness(folder);
  const size = (await latestSize(witness, log)) as number;
  assert.ok(size === cosigned + 1 || (size === cosigned && status !== 200), `${size} after ${cosigned}, status ${status}`);
  const fork = await logOf([...entriesOf(size - 1), ...entriesOf(20, 5_000)], log.signingKey);
  assert.equal((await submit(witness, fork, size, size + 10))[0], 422);
  assert.equal((await submit(witness, fork, size, size))[0], 422);
});
