/**
 * The thread that hashes trail records for the transparency log. Each message contains an append, or names the next append, which the
 * thread reads from the SQLite file of the server.
 */
import { openSqliteReads } from '#store/engine/read-only.ts';
import { trailLog } from '#store/trail/log/trail-log.ts';
import { chainSince } from '#store/trail/trail-chain-reads.ts';
import { appendJob } from '#trail/log/append-job.ts';
import { type ComputedAppend, type NoAppend, readAppend } from '#trail/log/next-append.ts';
import { serveJobs } from './serve-jobs.ts';
import type { ReadingJob, TrailLogJob, TrailLogOutcome } from './trail-log.ts';

let reads: ReturnType<typeof openSqliteReads> | undefined;

/**
 * Reads and computes the next append. The records can be committed but not on disk yet. The append follows them in the same log, so
 * it is on disk only if they are.
 */
async function compute({ file, next }: ReadingJob): Promise<ComputedAppend | NoAppend> {
  reads ??= openSqliteReads(file);
  const found = await reads.within((sql) =>
    readAppend({ logs: trailLog(sql), chainSince: (writer, after, limit) => chainSince(sql, 'position', writer, after, limit) }, next),
  );
  if (typeof found === 'string') return found;
  const { job, round } = found;
  return job === undefined ? { round } : { round, append: { before: job.head, outcome: await appendJob(job) } };
}

serveJobs<TrailLogJob, TrailLogOutcome>(async (job) => ('file' in job ? await compute(job) : await appendJob(job)));
