/**
 * Builds the fault that `LEASE_MUTANT` names into the program that is started with `--import` of this file. The product has no such
 * switch: the text of one module is changed as it is loaded.
 */
import { registerHooks } from 'node:module';
import { MUTANTS } from './mutants.ts';

const mutant = MUTANTS[process.env['LEASE_MUTANT'] ?? ''];
if (mutant === undefined) throw new Error('LEASE_MUTANT names no mutant.');
const { module, text, instead } = mutant;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(module)) return loaded;
    const source = String(loaded.source);
    if (source.split(text).length !== 2) throw new Error(`${module} does not contain the mutant's text once: ${text}`);
    return { ...loaded, source: source.replace(text, () => instead) };
  },
});
