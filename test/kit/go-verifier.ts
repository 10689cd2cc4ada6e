/** The verifier of transparency logs in Go (`test/tlog/verifier`), which has no code of ours. */
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('../tlog/verifier', import.meta.url));

/** Result of a check. The output has one line for each step. */
export type Verified = readonly [status: number, output: string];

/** Compiles the verifier into a folder. Returns the function that runs it. */
export function buildVerifier(folder: string): (...args: readonly string[]) => Promise<Verified> {
  const program = join(folder, 'verify');
  const env = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' };
  execFileSync('go', ['build', '-o', program, '.'], { cwd: SOURCE, env, stdio: ['ignore', 'ignore', 'pipe'] });
  return async (...args) => {
    try {
      return [0, (await run(program, args)).stdout];
    } catch (error) {
      const { code, stdout } = error as { code: number; stdout: string };
      return [code, stdout];
    }
  };
}
