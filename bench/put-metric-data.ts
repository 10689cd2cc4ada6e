/**
 * Measures the CPU time of the core thread for the largest PutMetricData: 1,000 metrics with 150 values each. The requests alternate between
 * new and known metrics, and between points that exist and new points. `ROUNDS` (default 5) sets the number of requests of each kind.
 */
import { startTestCore } from '../test/kit/core.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const core = await startTestCore();

function request(round: number, minute: number) {
  const Timestamp = Math.floor(Date.now() / 60_000) * 60 - minute * 60;
  const MetricData = Array.from({ length: 1_000 }, (_, metric) => ({
    MetricName: `m${round}-${metric}`,
    Timestamp,
    Values: Array.from({ length: 150 }, (_, i) => (i * 7919 + metric) % 1_000),
    Counts: Array.from({ length: 150 }, (_, i) => 1 + (i % 3)),
  }));
  return { Namespace: 'Bench', MetricData };
}

async function measure(round: number, minute: number): Promise<number> {
  const input = request(round, minute);
  const began = process.threadCpuUsage();
  await core.json('monitoring', 'PutMetricData', input);
  const { user, system } = process.threadCpuUsage(began);
  return (user + system) / 1_000;
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] as number;
const times: Record<'new metrics' | 'new points' | 'known points', number[]> = { 'new metrics': [], 'new points': [], 'known points': [] };
for (let round = 0; round < ROUNDS; round++) {
  times['new metrics'].push(await measure(round, 3));
  times['new points'].push(await measure(round, 2));
  times['known points'].push(await measure(round, 2));
}
for (const [kind, list] of Object.entries(times)) console.log(`${kind}: ${median(list).toFixed(0)} ms of CPU`);
process.exit(0);
