/** Counts the calls that are accepted after a change of a Voice Connector has returned. `sip.ts` runs it. */
import * as sdk from '@aws-sdk/client-chime-sdk-voice';
import { type Call, openParty, type Party } from '../test/sip/party.ts';
import { CARRIER, CUSTOMER, createTrunk, hostOf, inbound, number, route, setRoutes, setTermination } from '../test/sip/trunks.ts';

const ROUNDS = 5;
/** Calls of a round before the change starts, and after it has returned. */
const CALLS = { before: 20, after: 30 };
const INTERVAL_MS = 10;
/** Codes with which the server refuses a call because of the change. The called party is busy (486). A customer above `CpsLimit` is 503. */
const REFUSED: ReadonlySet<number> = new Set([403, 404, 480]);

export interface ChangeCounts {
  readonly change: string;
  readonly sentAfter: number;
  readonly acceptedAfter: number;
  readonly acceptedBefore: number;
}

interface Place {
  readonly voice: sdk.ChimeSDKVoiceClient;
  readonly proxy: { readonly host: string; readonly port: number };
  /** Voice Connector with `number(1)`. */
  readonly connector: string;
}

/** Changes settings while calls arrive, several times each. */
export async function measureChanges({ voice, proxy, connector }: Place): Promise<readonly ChangeCounts[]> {
  const busy = await openParty('udp', '127.0.10.4', proxy, { answer: ({ method }) => (method === 'INVITE' ? 486 : 200) });
  const [carrier, customer] = (await Promise.all([CARRIER, CUSTOMER].map((host) => openParty('udp', host, proxy)))) as [Party, Party];
  await setRoutes(voice, connector, route(busy));
  const fromCarrier = () => carrier.call(inbound(number(1)), { from: '+12125550100' });
  let trunk = await createTrunk(voice, { name: 'trunk', numbers: [number(0)] });
  const fromCustomer = () => customer.call(`sip:${number(1)}@${hostOf(trunk)}`, { from: number(0) });
  const ofTrunk = () => ({ VoiceConnectorId: trunk });

  async function replaceTrunk(): Promise<void> {
    trunk = await createTrunk(voice, { name: 'trunk', numbers: [number(0)] });
  }
  async function deleteTrunk(): Promise<void> {
    await voice.send(new sdk.DisassociatePhoneNumbersFromVoiceConnectorCommand({ ...ofTrunk(), E164PhoneNumbers: [number(0)] }));
    await voice.send(new sdk.DeleteVoiceConnectorCommand(ofTrunk()));
  }

  const changes: readonly (readonly [string, Party, () => Call, () => Promise<unknown>, () => Promise<unknown>])[] = [
    [
      'DeleteVoiceConnectorOrigination',
      ...([carrier, fromCarrier] as const),
      () => voice.send(new sdk.DeleteVoiceConnectorOriginationCommand({ VoiceConnectorId: connector })),
      () => setRoutes(voice, connector, route(busy)),
    ],
    [
      'PutVoiceConnectorTermination with Disabled',
      ...([customer, fromCustomer] as const),
      () => setTermination(voice, trunk, { Disabled: true }),
      () => setTermination(voice, trunk),
    ],
    [
      'DeleteVoiceConnectorTermination',
      ...([customer, fromCustomer] as const),
      () => voice.send(new sdk.DeleteVoiceConnectorTerminationCommand(ofTrunk())),
      () => setTermination(voice, trunk),
    ],
    ['DeleteVoiceConnector', customer, fromCustomer, deleteTrunk, replaceTrunk],
  ];
  const counts: ChangeCounts[] = [];
  for (const [change, party, start, apply, restore] of changes) {
    let [sentAfter, acceptedAfter, acceptedBefore] = [0, 0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      const calls = await callDuring(party, start, apply);
      for (const { isAfter, isAccepted } of calls) {
        if (isAfter) sentAfter++;
        if (isAccepted && isAfter) acceptedAfter++;
        if (isAccepted && !isAfter) acceptedBefore++;
      }
      await restore();
    }
    counts.push({ change, sentAfter, acceptedAfter, acceptedBefore });
  }
  return counts;
}

/** Starts calls in a fixed interval, and applies the change meanwhile. */
async function callDuring(party: Party, start: () => Call, apply: () => Promise<unknown>) {
  const ended: Promise<{ readonly isAfter: boolean; readonly isAccepted: boolean }>[] = [];
  let hasReturned = false;
  let left = CALLS.before + CALLS.after;
  let applied: Promise<unknown> | undefined;
  while (left > 0) {
    const isAfter = hasReturned;
    const call = start();
    ended.push(
      party.final(call).then((final) => {
        call.ackError(final);
        return { isAfter, isAccepted: !REFUSED.has(final.code) };
      }),
    );
    // While the change runs, calls continue without a limit of their number.
    if (left > CALLS.after || hasReturned) left--;
    if (left === CALLS.after) applied ??= apply().then(() => (hasReturned = true));
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
  await applied;
  return await Promise.all(ended);
}
