import { test } from 'node:test';
import { WORKLOADS } from './workloads.ts';

for (const workload of WORKLOADS) {
  test(`Hostile clients: the server stays within its limits during ${workload.name}`, async () => {
    await workload.run({ seconds: 1, seed: 1 });
  });
}
