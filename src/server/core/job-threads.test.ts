import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwsError } from '#core/aws-error.ts';
import { type JobKind, newJobThreads } from './job-threads.ts';

const SERVE = new URL('./serve-jobs.ts', import.meta.url).href;
const AWS_ERROR = new URL('../../core/aws-error.ts', import.meta.url).href;
const LIMITS: JobKind['limits'] = { threads: 1, waitingOfKey: 8, waiting: 16, milliseconds: 20_000, heapMegabytes: 64 };

/** Threads whose program is the text of a module. */
function threadsOf(source: string, limits: Partial<JobKind['limits']> = {}) {
  const program = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const kind = { name: 'tests', program, limits: { ...LIMITS, ...limits }, exceeded: () => new AwsError('Exceeded', 'too much') };
  return newJobThreads<string, string>(kind, () => {});
}

/** A program that serves jobs. A job is the text of an expression. */
const serving = `import { serveJobs } from '${SERVE}'; import { AwsError } from '${AWS_ERROR}'; serveJobs((job) => eval(job), (error) => error === 'exceeded');`;
const THROW = (error: string) => `(() => { throw ${error}; })()`;

// biome-ignore format: a table
const FAILURES: readonly [title: string, job: string, error: object][] = [
  ['a refusal is the same AwsError',             THROW("new AwsError('ExpiredTokenException', 'Token is expired')"), { name: 'AwsError', code: 'ExpiredTokenException', message: 'Token is expired' }],
  ['too much work is the error of its kind',     THROW("'exceeded'"),                                                { code: 'Exceeded' }],
  ['too much memory is the error of its kind',   '(() => { const all = []; for (;;) all.push(new Array(1e5).fill({})); })()', { code: 'Exceeded' }],
  ['an exception is an Error of a bug',          THROW("new TypeError('x')"),                                        { name: 'Error', message: /^one of the tests failed: TypeError: x/ }],
  ['an outcome that is not data is an Error',    '() => {}',                                                         { name: 'Error' }],
  ['an end of the thread is an Error of a bug',  'process.exit(0)',                                                  { name: 'Error', message: 'one of the tests failed: the thread ended' }],
  ['an answer to another job is an Error',       "process.getBuiltinModule('node:worker_threads').parentPort.postMessage({ id: 0, outcome: 'of another caller' })", { name: 'Error', message: 'one of the tests failed: the thread answered another job' }],
  ['a message of another form is an Error',      "process.getBuiltinModule('node:worker_threads').parentPort.postMessage(undefined)", { name: 'Error', message: 'one of the tests failed: the thread answered another job' }],
];
for (const [title, job, error] of FAILURES) {
  test(`newJobThreads: ${title}, and the next job is served`, async () => {
    const threads = threadsOf(serving);
    const next = threads.run('b', '1 + 1');
    await assert.rejects(threads.run('a', job), error);
    assert.equal(await next, 2);
    assert.equal(await threads.run('a', '2 + 2'), 4);
    await threads.close();
  });
}

test('newJobThreads: a program that cannot be loaded fails each job', async () => {
  const threads = threadsOf('throw new Error("broken")');
  for (let i = 0; i < 2; i++) await assert.rejects(threads.run('a', '1'), /broken/);
  await threads.close();
});

test('newJobThreads: jobs that wait when the threads close are ServiceUnavailable', async () => {
  const threads = threadsOf(serving);
  const [running, waiting] = [threads.run('a', 'for (;;);'), threads.run('a', '1')];
  const both = Promise.all([assert.rejects(running), assert.rejects(waiting, { code: 'ServiceUnavailable' })]);
  await threads.close();
  await both;
  await assert.rejects(threads.run('a', '1'), { code: 'Throttling' });
});
