/** Debian's Chromium without a window, driven through the DevTools protocol. Input goes through real key events, so a page must work by keyboard. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { after } from 'node:test';
import { newFolder } from './folder.ts';
import { until } from './until.ts';

/** Folder for screenshots. If it is unset, the tests take none: `SCREENSHOTS=/tmp/pages npm test test/chime/browser.test.ts`. */
export const SCREENSHOTS = process.env['SCREENSHOTS'];
/** Chromium without the parts that show windows, which starts in half of the time. It may be the complete program instead. */
const PROGRAM = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find(existsSync) ?? 'chromium';
/** Longest time of a command. */
const COMMAND_MS = 60_000;

// biome-ignore format: a table
const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-extensions', '--disable-background-networking', '--disable-component-update',
  '--no-first-run', '--no-default-browser-check', '--disable-dev-shm-usage', '--ignore-certificate-errors', '--remote-debugging-pipe',
  // Pages of others cannot load anything from the internet.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];

type Parameters = Readonly<Record<string, unknown>>;
interface Received {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Parameters;
  readonly result?: Parameters;
  readonly error?: { readonly message: string };
}

/** A window of the browser. It has its own cookies. */
export interface Tab {
  /** Opens a URL, as if the person had typed it. */
  open(url: string): Promise<void>;
  /** Waits until the page is loaded and its text contains a text. */
  shows(text: string): Promise<void>;
  /** Returns the value of an expression of JavaScript in the page. */
  evaluate(expression: string): Promise<unknown>;
  /** Presses a key, such as `Tab` or `Enter`. */
  press(key: keyof typeof KEYS): Promise<void>;
  /** Writes a text into the element with the focus. */
  write(text: string): Promise<void>;
  /** Returns the label of the element with the focus. */
  focus(): Promise<unknown>;
  /** Emulates a screen of a width, in CSS pixels, and a color scheme. */
  look(width: number, scheme: 'light' | 'dark'): Promise<void>;
  /** Prints the page on A4 paper, as it prints by default. Returns the PDF file. */
  print(): Promise<Buffer>;
  /** Stores a screenshot as `<name>.png`, if the variable `SCREENSHOTS` is set. */
  screenshot(name: string): Promise<void>;
  /** Errors and warnings that the browser has reported: scripts, styles and requests that a policy blocked, exceptions, and failed requests. */
  readonly problems: readonly string[];
}

// biome-ignore format: a table
const KEYS = {
  Tab:   { key: 'Tab',   code: 'Tab',   windowsVirtualKeyCode: 9 },
  Enter: { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, text: '\r' },
} as const;

/** Text of the label, of the link or of the button with the focus. */
const FOCUS = `(() => { const at = document.activeElement; return (at.labels?.[0]?.firstChild ?? at).textContent.trim(); })()`;

/** Starts the browser. It ends after the tests of the file, and also if this process ends. */
export async function startChromium(): Promise<{ tab(): Promise<Tab> }> {
  const folder = newFolder('chromium');
  const child = spawn(PROGRAM, [...ARGUMENTS, `--user-data-dir=${folder}`], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk));
  const [, , , input, output] = child.stdio as [null, null, Readable, Writable, Readable];
  const waiting = new Map<number, (received: Received) => void>();
  const listeners = new Map<string, (method: string, parameters: Parameters) => void>();
  const fail = (why: string) => {
    for (const answer of waiting.values()) answer({ error: { message: `${why} ${stderr}` } });
    waiting.clear();
  };
  child.once('error', ({ message }) => fail(message));
  child.once('exit', () => fail('the browser has ended'));
  input.on('error', () => {});
  after(async () => {
    // The program starts others, all in one group of processes.
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
    for (const stream of [child.stderr, input, output]) stream?.destroy();
    await ended;
  });

  let rest = '';
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = (rest + chunk).split('\0');
    rest = messages.pop() ?? '';
    for (const text of messages) {
      const received = JSON.parse(text) as Received;
      if (received.id === undefined) {
        listeners.get(received.sessionId ?? '')?.(received.method ?? '', received.params ?? {});
        continue;
      }
      waiting.get(received.id)?.(received);
      waiting.delete(received.id);
    }
  });

  let count = 0;
  async function send(method: string, params: Parameters = {}, sessionId?: string): Promise<Parameters> {
    const id = ++count;
    const { result, error } = await new Promise<Received>((resolve) => {
      const timer = setTimeout(() => resolve({ error: { message: 'no answer' } }), COMMAND_MS);
      waiting.set(id, (received) => {
        clearTimeout(timer);
        resolve(received);
      });
      input.write(`${JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) })}\0`);
    });
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  return {
    async tab() {
      const { browserContextId } = await send('Target.createBrowserContext');
      const { targetId } = await send('Target.createTarget', { url: 'about:blank', browserContextId });
      const sessionId = (await send('Target.attachToTarget', { targetId, flatten: true }))['sessionId'] as string;
      const problems: string[] = [];
      let loads = 0;
      listeners.set(sessionId, (method, parameters) => {
        const problem = problemOf(method, parameters);
        if (problem !== undefined) problems.push(problem);
        if (method === 'Page.loadEventFired') loads++;
      });
      const call = (method: string, parameters?: Parameters) => send(method, parameters, sessionId);
      for (const domain of ['Page', 'Runtime', 'Log', 'Audits']) await call(`${domain}.enable`);
      return tabOf(call, { problems, loads: () => loads });
    },
  };
}

/** Returns the error or the warning in an event of the browser. */
function problemOf(method: string, parameters: Parameters): string | undefined {
  switch (method) {
    case 'Log.entryAdded': {
      const { level, text, url } = parameters['entry'] as Readonly<Record<string, string>>;
      return level === 'error' || level === 'warning' ? `${text} ${url ?? ''}` : undefined;
    }
    case 'Runtime.exceptionThrown':
      return JSON.stringify(parameters);
    case 'Audits.issueAdded': {
      const { code } = parameters['issue'] as { readonly code: string };
      // The browser reports the expressions of a test as slow.
      return code === 'PerformanceIssue' ? undefined : JSON.stringify(parameters);
    }
    case 'Runtime.consoleAPICalled':
      return ['error', 'warning', 'assert'].includes(parameters['type'] as string) ? JSON.stringify(parameters['args']) : undefined;
    default:
      return undefined;
  }
}

interface TabState {
  readonly problems: readonly string[];
  /** Returns the number of loaded pages. */
  readonly loads: () => number;
}

function tabOf(call: (method: string, parameters?: Parameters) => Promise<Parameters>, { problems, loads }: TabState): Tab {
  /** Returns undefined while the page changes. */
  async function evaluate(expression: string): Promise<unknown> {
    const found = await call('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true }).catch(() => undefined);
    return (found?.['result'] as { readonly value?: unknown } | undefined)?.value;
  }
  const tab: Tab = {
    problems,
    evaluate,
    async open(url) {
      const before = loads();
      const { errorText } = await call('Page.navigate', { url });
      assert.equal(errorText, undefined);
      await until(
        () => loads() > before,
        () => `${url} was not loaded`,
      );
    },
    async shows(text) {
      let shown: unknown;
      let checked = -1;
      await until(
        async () => {
          // The page is read once for each loaded page, because reading it is slow.
          if (checked === loads()) return false;
          checked = loads();
          shown = await evaluate("document.readyState === 'complete' && document.body.innerText");
          return typeof shown === 'string' && shown.includes(text);
        },
        () => `no page with '${text}', but with '${shown}'`,
      );
    },
    async press(name) {
      const key = KEYS[name];
      await call('Input.dispatchKeyEvent', { type: 'text' in key ? 'keyDown' : 'rawKeyDown', ...key });
      await call('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
    },
    async write(text) {
      await call('Input.insertText', { text });
    },
    focus: () => evaluate(FOCUS),
    async look(width, scheme) {
      await call('Emulation.setDeviceMetricsOverride', { width, height: 740, deviceScaleFactor: 1, mobile: width < 600 });
      await call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    },
    async print() {
      const { data } = await call('Page.printToPDF', { paperWidth: 8.27, paperHeight: 11.69, preferCSSPageSize: true });
      return Buffer.from(data as string, 'base64');
    },
    async screenshot(name) {
      if (SCREENSHOTS === undefined) return;
      const { data } = await call('Page.captureScreenshot', { format: 'png' });
      mkdirSync(SCREENSHOTS, { recursive: true });
      writeFileSync(join(SCREENSHOTS, `${name}.png`), Buffer.from(data as string, 'base64'));
    },
  };
  return tab;
}
