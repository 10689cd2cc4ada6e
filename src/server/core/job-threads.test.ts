import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { AwsError } from '#core/aws-error.ts';
import { type JobKind, newJobThreads } from './job-threads.ts';

const SERVE = new URL('./serve-jobs.ts', import.meta.url).href;
const AWS_ERROR = new URL('../../core/aws-error.ts', import.meta.url).href;
const LIMITS: JobKind['limits'] = { threads: 1, waitingOfKey: 8, waiting: 16, milliseconds: 20_000, heapMegabytes: 64 };

/** Returns threads that run the program with this source code. */
function threadsOf(source: string, limits: Partial<JobKind['limits']> = {}) {
  const program = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const kind = { name: 'tests', program, limits: { ...LIMITS, ...limits }, exceeded: () => new AwsError('Exceeded', 'too much') };
  return newJobThreads<string, string>(kind, () => {});
}

/** Program that serves jobs. A job is a JavaScript expression as a string. */
const serving = `import { serveJobs } from '${SERVE}'; import { AwsError } from '${AWS_ERROR}'; serveJobs((job) => eval(job), (error) => error === 'exceeded');`;
const THROW = (error: string) => `(() => { throw ${error}; })()`;

// biome-ignore format: a table
const FAILURES: readonly [title: string, job: string, error: object][] = [
  ['a refusal is the same AwsError',             THROW("new AwsError('ExpiredTokenException', 'Token is expired')"), { name: 'AwsError', code: 'ExpiredTokenException', message: 'Token is expired' }],
  ['too much work is the error `exceeded()`',    THROW("'exceeded'"),                                                { code: 'Exceeded' }],
  ['too much memory is the error `exceeded()`',  '(() => { const all = []; for (;;) all.push(new Array(1e5).fill({})); })()', { code: 'Exceeded' }],
  ['an unexpected exception is an Error',        THROW("new TypeError('x')"),                                        { name: 'Error', message: /^a thread for tests failed: TypeError: x/ }],
  ['an outcome that is not data is an Error',    '() => {}',                                                         { name: 'Error' }],
  ['an early end of the thread is an Error',     'process.exit(0)',                                                  { name: 'Error', message: 'a thread for tests failed: the thread ended' }],
  ['an answer to another job is an Error',       "process.getBuiltinModule('node:worker_threads').parentPort.postMessage({ id: 0, outcome: 'of another caller' })", { name: 'Error', message: 'a thread for tests failed: the thread returned the result of another job' }],
  ['a message of another form is an Error',      "process.getBuiltinModule('node:worker_threads').parentPort.postMessage(undefined)", { name: 'Error', message: 'a thread for tests failed: the thread returned the result of another job' }],
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

/** Program whose jobs ask a list of questions, separated by spaces, and return the replies. */
const asking = `import { serveJobs } from '${SERVE}'; serveJobs(async (job, ask) => {
  const replies = [];
  for (const question of job.split(' ')) replies.push(await ask(question));
  return replies.join(' ');
});`;

test('newJobThreads: a job gets the replies to its questions, and jobs in two threads do not mix', async () => {
  const threads = threadsOf(asking, { threads: 2 });
  const runs = ['a', 'b'].map((key) => threads.run(key, '1 2 3', async (question) => `${key}${question}`));
  assert.deepEqual(await Promise.all(runs), ['a1 a2 a3', 'b1 b2 b3']);
  await threads.close();
});

test('newJobThreads: if the core cannot answer, the job fails with its error, and the next job is served', async () => {
  const threads = threadsOf(asking);
  const failure = new Error('the store is closed');
  await assert.rejects(
    threads.run('a', '1', () => Promise.reject(failure)),
    failure,
  );
  await assert.rejects(threads.run('a', '1'), /no question is expected/);
  assert.equal(await threads.run('a', '1', async () => 'yes'), 'yes');
  await threads.close();
});

test('newJobThreads: the time of an answer counts as time of the job', async () => {
  const threads = threadsOf(asking, { milliseconds: 2_000 });
  await assert.rejects(
    threads.run('a', '1', () => new Promise(() => {})),
    { code: 'Exceeded' },
  );
  await threads.close();
});

test('newJobThreads: if the program cannot be loaded, each job fails', async () => {
  const threads = threadsOf('throw new Error("broken")');
  for (let i = 0; i < 2; i++) await assert.rejects(threads.run('a', '1'), /broken/);
  await threads.close();
});

test('newJobThreads: when the threads close, waiting jobs are ServiceUnavailable', async () => {
  const threads = threadsOf(serving);
  const [running, waiting] = [threads.run('a', 'for (;;);'), threads.run('a', '1')];
  const both = Promise.all([assert.rejects(running), assert.rejects(waiting, { code: 'ServiceUnavailable' })]);
  await threads.close();
  await both;
  await assert.rejects(threads.run('a', '1'), { code: 'Throttling' });
});

/**
 * Source code of a function that takes the content of a `/proc` file `stat` and returns field 19, the nice value. Field
 * 2 is the program's name, which may contain spaces. So the function splits only the text after the name, which starts
 * with field 3. Field 19 then has index 16.
 */
const NICE = `((stat) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]))`;
/** Job that returns the nice value of its thread. */
const ownNice = `String(${NICE}(process.getBuiltinModule('node:fs').readFileSync('/proc/thread-self/stat', 'utf8')))`;
const onLinux = { skip: process.platform === 'linux' ? false : 'nice values of threads exist only on Linux' };

test("newJobThreads: a job's nice value is 5 above the server's, which stays the same", onLinux, async () => {
  const before = getPriority();
  const threads = threadsOf(serving);
  assert.equal(await threads.run('a', ownNice), String(Math.min(19, before + 5)));
  assert.equal(getPriority(), before);
  await threads.close();
});

test("newJobThreads: a job's nice value is above the server's even if `nice` started the server", onLinux, async () => {
  const program = `
    import { newJobThreads } from '${new URL('./job-threads.ts', import.meta.url).href}';
    const program = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(serving)}));
    const threads = newJobThreads({ name: 'tests', program, limits: ${JSON.stringify(LIMITS)}, exceeded: () => new Error() }, () => {});
    process.stdout.write(await threads.run('a', ${JSON.stringify(ownNice)}));
    await threads.close();
  `;
  const nices = [7, 17].map((nice) => {
    const child = spawnSync('nice', ['-n', String(nice), process.execPath, '--input-type=module', '-e', program], { encoding: 'utf8' });
    assert.equal(child.status, 0, child.stderr);
    return Number(child.stdout);
  });
  const own = getPriority();
  assert.deepEqual(nices, [Math.min(19, own + 7 + 5), 19]);
});
