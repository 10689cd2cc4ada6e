/** Entry point of the core's thread. It enables the compile cache before the modules of the core are loaded. */
import { prepareLoading } from '../module-loading.ts';

prepareLoading();
const { runCore } = await import('./run-core.ts');
await runCore();
