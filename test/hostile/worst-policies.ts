import assert from 'node:assert/strict';
import { AttachUserPolicyCommand, CreateAccessKeyCommand, CreatePolicyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { decide, linkStack, type PolicyLayers, type PolicyStack } from '#policy/engine.ts';
import { startTestServer } from '../kit/server.ts';
import { everyPolicy, tenPolicies } from './legal-policies.ts';
import { delayOfOthers, type Figure, type Workload, type WorkloadOptions } from './workload.ts';
import { WORST_GENOMES } from './worst-genomes.ts';
import { type Genome, policyOf, requestOf, searchWorst } from './worst-policies-search.ts';

/** Maximum number of characters of a managed policy. */
const POLICY_SIZE = 6144;
const UNLIMITED = 2 ** 50;

/** Returns the number of steps of one decision, including the search for the statement that determines the decision. */
export function stepsOf(stack: PolicyStack, genome: Genome): number {
  const { action, resource, context } = requestOf(genome);
  const budget = { stepsLeft: UNLIMITED };
  decide(stack, { action, resources: [resource], context }, budget);
  return UNLIMITED - budget.stepsLeft;
}

export function stackOf(genome: Genome, layersOf: (policyOf: (characters: number) => string) => PolicyLayers): PolicyStack {
  return linkStack(layersOf((characters) => policyOf(genome, characters)));
}

const onePolicy = (make: (characters: number) => string): PolicyLayers => ({ identity: tenPolicies(make).identity.slice(0, 1) });

/**
 * Returns the maximum number of steps of a decision with one policy. The maximum is the sum of two parts:
 *
 * - Steps that match patterns: the number of characters of the policy, multiplied by the length of the longest value.
 *   The unit of this length is 32 characters. This part counts twice: for the decision, and for the search for the
 *   statement that determines the decision.
 * - Steps that convert the values to bits.
 */
export function stepsMax(genome: Genome, characters: number): number {
  const { context, resource } = requestOf(genome);
  const lengths = [...context.values()].map((value) =>
    (typeof value === 'string' ? [value] : value).reduce((sum, one) => sum + one.length + 1, 0),
  );
  const positions = [...lengths, resource.length + 1];
  const words = Math.ceil(Math.max(...positions) / 32);
  return 2 * characters * words + 64 * positions.reduce((sum, one) => sum + one, 0) + 2048 * words;
}

/** Returns the shortest time of several runs, in milliseconds. */
function time(run: () => void, runs: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i++) {
    const from = performance.now();
    run();
    best = Math.min(best, performance.now() - from);
  }
  return best;
}

/** Measures decisions with the most expensive genomes: with ten policies, and with the largest set of policies. */
export function timesOf(genomes: readonly Genome[], runs: number): readonly Figure[] {
  const worst = (layersOf: typeof tenPolicies): number =>
    Math.max(
      ...genomes.map((genome) => {
        const stack = stackOf(genome, layersOf);
        return time(() => stepsOf(stack, genome), runs);
      }),
    );
  return [
    { what: 'decision with ten of the worst policies', value: worst(tenPolicies), unit: 'ms', most: 5 },
    { what: 'decision with the largest set of policies of one user', value: worst(everyPolicy), unit: 'ms', most: 100 },
  ];
}

/** Measures the delay of another caller while a user with ten of the worst policies sends requests with the worst User-Agent. */
async function delay(seconds: number): Promise<readonly Figure[]> {
  const server = await startTestServer();
  const iam = new IAMClient(server.client());
  await iam.send(new CreateUserCommand({ UserName: 'mallory' }));
  const [, genome] = WORST_GENOMES.find(([name]) => name.startsWith('short middles and User-Agent')) as (typeof WORST_GENOMES)[number];
  for (let i = 0; i < 10; i++) {
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: `worst-${i}`, PolicyDocument: policyOf(genome, POLICY_SIZE) }));
    await iam.send(new AttachUserPolicyCommand({ UserName: 'mallory', PolicyArn: Policy?.Arn }));
  }
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'mallory' }));
  const credentials = { accessKeyId: AccessKey?.AccessKeyId as string, secretAccessKey: AccessKey?.SecretAccessKey as string };
  const userAgent = requestOf(genome).context.get('aws:useragent') as string;
  const mallory = new IAMClient({ ...server.client(credentials), customUserAgent: userAgent });
  mallory.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers['user-agent'] = userAgent;
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low', name: 'worstUserAgent' },
  );
  const until = performance.now() + seconds * 1000;
  let denied = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      const error = await mallory.send(new CreateUserCommand({ UserName: 'x' })).catch((thrown: Error) => thrown);
      if (error instanceof Error && error.name === 'AccessDenied') denied += 1;
    }
  };
  const { longestMs } = await delayOfOthers(server, () => Promise.all([caller(), caller(), caller(), caller()]));
  assert.ok(denied > 0, 'no call of the hostile user was denied');
  iam.destroy();
  mallory.destroy();
  await server.stop();
  return [
    { what: 'longest delay of another caller', value: longestMs, unit: 'ms', most: 100 },
    { what: 'denied calls of the hostile user', value: denied, unit: 'count' },
  ];
}

/** Workload with the most expensive policies and requests that this search and earlier searches found. */
export const worstPolicies: Workload = {
  name: 'worst policies',
  async run({ seconds, seed }: WorkloadOptions): Promise<readonly Figure[]> {
    const short = seconds <= 1;
    const searched = searchWorst(seed, short ? 60 : 400 * seconds, (genome) => {
      const steps = stepsOf(stackOf(genome, onePolicy), genome);
      const most = stepsMax(genome, POLICY_SIZE);
      assert.ok(steps <= most, `${steps} steps, at most ${most}: ${JSON.stringify(genome)}`);
      return steps;
    });
    for (const [name, genome] of WORST_GENOMES) {
      const steps = stepsOf(stackOf(genome, onePolicy), genome);
      const most = stepsMax(genome, POLICY_SIZE);
      assert.ok(steps <= most, `${name}: ${steps} steps, at most ${most}`);
    }
    const figures: Figure[] = [{ what: 'most steps of one policy that the search found', value: searched.cost, unit: 'steps' }];
    if (short) return figures;
    const genomes = [...WORST_GENOMES.map(([, genome]) => genome), searched.genome];
    return [...figures, ...timesOf(genomes, 15), ...(await delay(seconds))];
  },
};
