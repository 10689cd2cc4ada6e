/**
 * Builds a fault into the lease of the server that is started with `--import` of this file, so that the nemesis can be seen to find it.
 * The product has no such switch: the text of one module is changed as it is loaded.
 */
import { registerHooks } from 'node:module';

const MODULE = '/src/access/lease.ts';

// biome-ignore format: a table
const MUTANTS: Readonly<Record<string, readonly [text: string, instead: string]>> = {
  'no wait':               ['if (version !== undefined) await lease.withdrawn(version);', 'if (version !== undefined) void lease.withdrawn(version);'],
  'fail open':             ['if (at >= until) return false;', 'if (at >= until) return complete;'],
  'lease from the answer': ['until = asked + leaseMilliseconds;', 'until = clock.monotonic() + leaseMilliseconds;'],
};

const mutant = MUTANTS[process.env['LEASE_MUTANT'] ?? ''];
if (mutant === undefined) throw new Error('LEASE_MUTANT names no mutant.');
const [text, instead] = mutant;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(MODULE)) return loaded;
    const source = String(loaded.source);
    if (source.split(text).length !== 2) throw new Error(`${MODULE} does not contain the mutant's text once: ${text}`);
    return { ...loaded, source: source.replace(text, () => instead) };
  },
});
