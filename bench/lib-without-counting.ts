/**
 * Loads a server that does not count requests and decisions: `node --import ./bench/lib-without-counting.ts …`. Changes the sources while they
 * are loaded, so that the server itself needs no switch.
 */
import { registerHooks } from 'node:module';

/** Beginnings of the functions that count, by file, and their replacements. */
const CHANGES: Readonly<Record<string, readonly [from: string, to: string]>> = {
  '/src/server/core/request-ends.ts': ['ended(facts, answer, error) {', 'ended(facts, answer, error) { if (!tracing) return answer;'],
  '/src/server/core/figures.ts': ['count(decision) {', 'count(decision) { if (counts.length > 0) return;'],
};

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const change = CHANGES[Object.keys(CHANGES).find((file) => url.endsWith(file)) ?? ''];
    if (change === undefined) return loaded;
    const source = String(loaded.source);
    if (!source.includes(change[0])) throw new Error(`${url} does not contain '${change[0]}'`);
    return { ...loaded, source: source.replace(...change) };
  },
});
