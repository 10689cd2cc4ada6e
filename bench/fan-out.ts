/**
 * Measures messages to a channel with 1,000 connected members, compared with a plain `ws` server that sends each
 * message to 1,000 sockets. The unit is deliveries per CPU second of the server process. Measures bursts of several
 * sizes. The rounds of Belfry and of the plain server alternate. Belfry also authenticates, authorizes, stores and
 * records each message. Command: `npm run bench fan-out`.
 */
import { WebSocket } from 'ws';
import { connectTarget, cpuSeconds, createChat, startClients } from './chat.ts';
import { median, type Process, startProcess } from './load.ts';

const SOCKETS = Number(process.env['SOCKETS'] ?? 1_000);
const BURSTS = (process.env['BURSTS'] ?? '1,10,50,100').split(',').map(Number);
const SECONDS = Number(process.env['SECONDS_EACH'] ?? 3);
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const CONTENT = 'x'.repeat(200);

interface Side {
  readonly server: Process;
  readonly clients: ReturnType<typeof startClients>;
  readonly say: () => Promise<void>;
}

async function belfry(): Promise<Side> {
  const server = await startProcess('belfry');
  const chat = await createChat(server, SOCKETS);
  const clients = startClients();
  const targets = chat.userArns.map((userArn, i) => connectTarget(server, server.endpoint, userArn, `s${i}`));
  await clients.open({ host: '127.0.0.1', port: Number(new URL(server.endpoint).port), tls: false, targets, firstFrames: 1 });
  return { server, clients, say: () => chat.say(CONTENT) };
}

async function plain(): Promise<Side> {
  const server = await startProcess('plain-ws');
  const clients = startClients();
  const targets = Array.from({ length: SOCKETS }, () => '/');
  await clients.open({ host: '127.0.0.1', port: Number(new URL(server.endpoint).port), tls: false, targets, firstFrames: 0 });
  const publisher = new WebSocket(`${server.endpoint.replace('http', 'ws')}/publish`);
  await new Promise((resolve) => publisher.once('open', resolve));
  // The message is about as long as a frame that Belfry sends.
  const message = 'x'.repeat(950);
  return { server, clients, say: async () => publisher.send(message) };
}

/**
 * Sends bursts of messages, each burst after all sockets have received the previous burst. Returns deliveries per CPU
 * second.
 */
async function measure({ server, clients, say }: Side, burst: number): Promise<number> {
  await clients.count();
  const before = cpuSeconds(server.pid);
  const ends = performance.now() + SECONDS * 1_000;
  let deliveries = 0;
  while (performance.now() < ends) {
    await Promise.all(Array.from({ length: burst }, say));
    deliveries += burst * SOCKETS;
    for (let left = burst * SOCKETS; left > 0; ) {
      const { frames, closed } = await clients.count();
      if (closed > 0) throw new Error(`${closed} sockets were closed`);
      left -= frames;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  return deliveries / (cpuSeconds(server.pid) - before);
}

const sides = { belfry: await belfry(), plain: await plain() };
for (const burst of BURSTS) {
  const rounds: { belfry: number; plain: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ plain: await measure(sides.plain, burst), belfry: await measure(sides.belfry, burst) });
  }
  const of = (which: 'belfry' | 'plain') => Math.round(median(rounds.map((each) => each[which])) / 1000);
  const ratio = median(rounds.map((each) => each.belfry / each.plain)).toFixed(2);
  console.log(`bursts of ${burst} messages: ${of('belfry')} k deliveries per CPU second, plain ws ${of('plain')} k, ratio ${ratio}`);
}
for (const { server, clients } of Object.values(sides)) {
  clients.stop();
  await server.stop();
}
process.exit(0);
