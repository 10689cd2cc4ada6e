import { runGroup } from '../../tools/test-groups.mjs';

await runGroup('storage');
