import { registerHooks } from 'node:module';

/** A fault to build into the program: one module, and the replacement of text that occurs in it once. */
export interface Mutant {
  /** End of the module's URL. */
  readonly module: `/src/${string}.ts`;
  readonly text: string;
  readonly instead: string;
}

/**
 * Builds a fault into the program. Call this in a file that is loaded with `--import`, before the module is loaded.
 *
 * The product has no switch for faults: the hook changes the source of one module when it is loaded.
 *
 * @throws Error  the text does not occur once in the module
 */
export function buildIn({ module, text, instead }: Mutant): void {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(module)) return loaded;
      const source = String(loaded.source);
      if (source.split(text).length !== 2) throw new Error(`${module} does not contain the mutant's text once: ${text}`);
      return { ...loaded, source: source.replace(text, () => instead) };
    },
  });
}
