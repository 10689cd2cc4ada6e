/**
 * Measures SIP calls through Kamailio and a server, compared with the same two `sipp` processes without a proxy. The rounds are interleaved.
 * Then it changes settings of Voice Connectors while calls arrive, and counts the calls that are accepted after the change has returned.
 * Command: `npm run bench sip`. Environment variables: `ROUNDS` (default 3), `SECONDS_EACH` (default 10), `RATES` (default `50,200`).
 *
 * The calls come from a carrier, because `CpsLimit` limits the calls of customers. Each call is decided, stored and mirrored for the SIP logs.
 */
import * as sdk from '@aws-sdk/client-chime-sdk-voice';
import { freePort, sipSettings, startProxy } from '../test/sip/proxy.ts';
import { answerCalls, callAtRate, type SippAddress, untilAnswered } from '../test/sip/sipp.ts';
import { CARRIER, createTrunk, number, orderNumbers } from '../test/sip/trunks.ts';
import { measureChanges } from './lib-sip-changes.ts';
import { median, startProcess } from './load.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const SECONDS = Number(process.env['SECONDS_EACH'] ?? 10);
const RATES = (process.env['RATES'] ?? '50,200').split(',').map(Number);

const sip = await sipSettings('unit', { BELFRY_SIP_CARRIERS: CARRIER, BELFRY_SIP_REQUESTS_PER_SECOND: '100000' });
const server = await startProcess('belfry', { environment: sip.environment });
const proxy = await startProxy(sip, server.dataFolder);
const voice = new sdk.ChimeSDKVoiceClient({
  ...{ endpoint: `${server.endpoint}/_chime-sdk-voice`, region: 'us-east-1', credentials: server.credentials, maxAttempts: 1 },
});
await orderNumbers(voice, server.dataFolder);

const callee: SippAddress = { host: '127.0.10.3', port: await freePort('127.0.10.3') };
const caller: SippAddress = { host: CARRIER, port: await freePort(CARRIER) };
const dialed = number(1);
const answering = answerCalls(callee);
const connector = await createTrunk(voice, {
  ...{ name: 'bench', numbers: [dialed], routes: [{ Host: callee.host, Port: callee.port, Protocol: 'UDP', Priority: 1, Weight: 1 }] },
});
const ways: Readonly<Record<string, SippAddress>> = { direct: callee, belfry: sip.plain };
for (const to of Object.values(ways)) await untilAnswered(caller, to, dialed);

const quantile = (values: readonly number[], share: number) => values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? NaN;
const perRound = (rounds: readonly (readonly number[])[], share: number) => median(rounds.map((round) => quantile(round, share)));

for (const perSecond of RATES) {
  const times: Record<string, (readonly number[])[]> = { direct: [], belfry: [] };
  const failed: Record<string, number> = { direct: 0, belfry: 0 };
  const calls = perSecond * SECONDS;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [way, to] of Object.entries(ways)) {
      const result = await callAtRate({ from: caller, to, dialed, perSecond, calls });
      times[way]?.push(result.answeredMs);
      failed[way] = (failed[way] ?? 0) + result.failed;
      if (result.failed > 0)
        console.log(`${perSecond} calls/s, ${way}: ${result.failed} failed; codes: ${JSON.stringify([...result.refused])}`);
    }
  }
  const [direct, belfry] = ['direct', 'belfry'].map((way) => [0.5, 0.99].map((share) => perRound(times[way] ?? [], share))) as [
    [number, number],
    [number, number],
  ];
  for (const [way, [p50, p99]] of Object.entries({ direct, belfry })) {
    console.log(
      `${perSecond} calls/s, ${way.padEnd(6)} INVITE to 200: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(1)} ms, ${failed[way]} of ${calls * ROUNDS} failed`,
    );
  }
  console.log(`${perSecond} calls/s, ratio: p50 ${(belfry[0] / direct[0]).toFixed(1)}, p99 ${(belfry[1] / direct[1]).toFixed(1)}`);
  if (failed['belfry'] !== 0) process.exitCode = 1;
}
await answering.stop();

for (const { change, sentAfter, acceptedAfter, acceptedBefore } of await measureChanges({ voice, proxy: sip.plain, connector })) {
  console.log(
    `${change}: ${acceptedAfter} of ${sentAfter} calls that were sent after it returned were accepted (${acceptedBefore} before)`,
  );
  if (acceptedAfter > 0 || acceptedBefore === 0) process.exitCode = 1;
}
await proxy.stop();
await server.stop();
process.exit();
