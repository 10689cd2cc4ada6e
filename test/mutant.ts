import { registerHooks } from 'node:module';

/**
 * A fault to build into the program. In one module, `instead` replaces the string `text`, which must occur exactly
 * once.
 */
export interface Mutant {
  /** End of the module's URL. */
  readonly module: `/src/${string}.ts`;
  readonly text: string;
  readonly instead: string;
}

/**
 * Builds a fault into the program. Call this function in a file that is loaded with `--import`, before `module` is
 * loaded.
 *
 * The product has no switch for faults: a hook changes the source of one module when Node loads the module.
 *
 * @throws Error  `text` does not occur exactly once in the module
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
