import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SETTINGS } from '#server/settings.ts';
import { startTestServer } from '../kit/server.ts';

/** Fenced block of commands. In a `refused` block, IAM must deny every command. */
interface Block {
  readonly refused: boolean;
  readonly commands: string;
}

function blocksOf(markdown: string): Block[] {
  const tried = markdown.slice(markdown.indexOf('## Try it'));
  return [...tried.matchAll(/^```sh( refused)?\n([\s\S]*?)^```$/gm)].map((found) => ({
    refused: found[1] !== undefined,
    commands: found[2] as string,
  }));
}

test('README: the commands, run in order, have the results that the README states', async () => {
  const server = await startTestServer();
  const port = new URL(server.endpoint).port;
  const script = blocksOf(readFileSync('README.md', 'utf8'))
    .map(({ refused, commands }) => {
      const here = commands
        .replaceAll('127.0.0.1:7080', `127.0.0.1:${port}`)
        .replaceAll('/tmp/', `${server.dataFolder}/`)
        .replaceAll('$PWD/data', server.dataFolder)
        .replaceAll('npx belfry', `${process.execPath} bin/belfry.mjs`);
      if (!refused) return here;
      return here
        .trim()
        .split('\n')
        .map(
          (command) =>
            `if SAID=$(${command} 2>&1); then echo "allowed: ${command.replaceAll(/["$`]/g, '')}"; exit 9; fi; echo "$SAID"; grep -q 'AccessDeniedException.*is not authorized to perform: chime:' <<< "$SAID"`,
        )
        .join('\n');
    })
    .join('\n');
  assert.ok(script.includes('lookup-events'), 'the README still ends with the trail');
  const output = await run(`set -euo pipefail\n${script}`, { BELFRY_DATA: server.dataFolder });
  assert.match(
    output,
    /DeleteMeeting operation: User: arn:aws:iam::\d{12}:user\/maker is not authorized to perform: chime:DeleteMeeting on resource: arn:aws:chime:us-east-1:\d{12}:meeting\/[0-9a-f-]{36} because no identity-based policy allows the chime:DeleteMeeting action/,
  );
  const trail = output.slice(output.lastIndexOf('maker'));
  for (const name of ['CreateMeeting', 'CreateAttendee', 'GetMeeting', 'DeleteMeeting', 'AssumeRole'])
    assert.match(output, new RegExp(`${name}\\s+maker`), name);
  assert.ok(trail.length > 0);
});

function run(script: string, environment: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', script], {
      env: { ...process.env, ...environment, AWS_PAGER: '', AWS_EC2_METADATA_DISABLED: 'true' },
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`ended with ${code}:\n${output}`))));
  });
}

test('README: the table of settings lists every setting with its flag, default and description', () => {
  const readme = readFileSync('README.md', 'utf8');
  for (const { variable, flag, fallback, help } of SETTINGS) {
    assert.ok(readme.includes(`| \`${variable}\` | \`${flag}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${help} |`), variable);
  }
});
