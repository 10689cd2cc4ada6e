/** Reads the stored state that a decision needs, in one transaction. So a committed change applies to the next request, on every server. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { SipGateway } from '#core/sip-gateway.ts';
import type { ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { statusOf } from '../../chime-kit/phone-numbers.ts';
import { type NumberRecord, phoneNumbers } from '../../chime-kit/tables/phone-numbers.ts';
import { listOfAccount } from '../access.ts';
import { connectorIdOfHost, outboundHostName } from '../host-names.ts';
import { SIP_RULE, VOICE_CONNECTOR, VOICE_CONNECTOR_GROUP } from '../kinds.ts';
import type { VoiceConnectorDocument } from '../stored-connectors.ts';
import { connectorPlaces } from '../tables/connector-places.ts';
import { inAnyRange } from './addresses.ts';
import { callerNumber, type Destination, numberIn, type ParsedRequest, type SipConnector, type SipState } from './decision.ts';

/** Settings of the operator. */
export interface SipNetwork {
  /** Networks of carriers, which may send calls to the numbers of all Voice Connectors. */
  readonly carriers: readonly string[];
  readonly gateways: readonly SipGateway[];
  /** Suffix of outbound host names, with its dot. */
  readonly hostSuffix: string;
}

/** Reads the state of a request. */
export async function readState(tx: Tx, now: Instant, request: ParsedRequest, network: SipNetwork): Promise<SipState> {
  const { carriers, gateways, hostSuffix } = network;
  const toConnector = connectorReader(hostSuffix);
  const isCarrier = inAnyRange(request.source, carriers);
  const id = connectorIdOfHost(request.requestUri.host, hostSuffix);
  const found = id === undefined ? undefined : await connectorOfAnyAccount(tx, id);
  const connector = found && toConnector(found);
  const dialed = numberIn(request.requestUri);
  const isInvite = request.method === 'INVITE';
  const owner = isInvite && dialed !== undefined ? await assignedNumber(tx, now, dialed) : undefined;
  const destination = owner && (await destinationOf(tx, owner, toConnector));
  const caller = isInvite && connector !== undefined ? callerNumber(request, connector) : undefined;
  const callerRecord = caller === undefined ? undefined : await assignedNumber(tx, now, caller);
  const isOwn = callerRecord?.associationName === 'VoiceConnectorId' && callerRecord.accountId === connector?.accountId;
  return {
    isCarrier,
    ...(connector !== undefined && { connector }),
    ...(destination !== undefined && { destination }),
    ...(isOwn && callerRecord.associatedTo !== undefined && { callerConnectorId: callerRecord.associatedTo }),
    hasRule: isInvite && (await hasRule(tx, owner, connector)),
    gateways,
  };
}

/** Returns a Voice Connector, whichever account has it. */
export async function connectorOfAnyAccount(tx: Tx, id: string): Promise<ResourceRecord<VoiceConnectorDocument> | undefined> {
  const place = await tx.of(connectorPlaces).find(id);
  return place && (await tx.resources.get(VOICE_CONNECTOR, place));
}

async function assignedNumber(tx: Tx, now: Instant, number: string): Promise<NumberRecord | undefined> {
  const record = await tx.of(phoneNumbers).ofAnyAccount(number);
  return record !== undefined && statusOf(record, now) === 'Assigned' ? record : undefined;
}

type ToConnector = (record: ResourceRecord<VoiceConnectorDocument>) => SipConnector;

function connectorReader(hostSuffix: string): ToConnector {
  return ({ accountId, region, id, document }) => ({
    ...{ accountId, region, id, awsRegion: document.AwsRegion },
    requireEncryption: document.RequireEncryption,
    ...(document.Termination !== undefined && { termination: document.Termination }),
    ...(document.Origination !== undefined && { origination: document.Origination }),
    credentials: document.Credentials,
    hostName: outboundHostName(id, hostSuffix),
    logsSip: document.LoggingConfiguration?.EnableSIPLogs === true,
  });
}

/** Returns the connectors that receive calls to a number. A deleted connector of a group is absent (RES-1). */
async function destinationOf(tx: Tx, number: NumberRecord, toConnector: ToConnector): Promise<Destination | undefined> {
  const { accountId, associationName, associatedTo } = number;
  if (associationName !== 'VoiceConnectorId' && associationName !== 'VoiceConnectorGroupId') return undefined;
  const connectors = new Map((await listOfAccount(tx, { accountId }, VOICE_CONNECTOR)).map((record) => [record.id, toConnector(record)]));
  const members = (items: readonly { readonly id: string; readonly priority: number }[]) =>
    items.flatMap(({ id, priority }) => {
      const connector = connectors.get(id);
      return connector === undefined ? [] : [{ connector, priority }];
    });
  if (associationName === 'VoiceConnectorId') return { members: members([{ id: associatedTo ?? '', priority: 1 }]), isLoadBalanced: false };
  const group = (await listOfAccount(tx, { accountId }, VOICE_CONNECTOR_GROUP)).find(({ id }) => id === associatedTo);
  if (group === undefined) return undefined;
  const { VoiceConnectorItems, CallDistributionType } = group.document;
  return {
    members: members(VoiceConnectorItems.map(({ VoiceConnectorId, Priority = 1 }) => ({ id: VoiceConnectorId, priority: Priority }))),
    isLoadBalanced: CallDistributionType === 'LoadBalancedDistribution',
  };
}

/** Reports whether an enabled SIP rule is for the dialed number, or for the host name of the connector. */
async function hasRule(tx: Tx, owner: NumberRecord | undefined, connector: SipConnector | undefined): Promise<boolean> {
  const accounts = new Set<AccountId>([owner?.accountId, connector?.accountId].filter((each) => each !== undefined));
  for (const accountId of accounts) {
    for (const { document } of await listOfAccount(tx, { accountId }, SIP_RULE)) {
      if (document.Disabled) continue;
      const { TriggerType, TriggerValue } = document;
      if (TriggerType === 'ToPhoneNumber' && owner?.accountId === accountId && owner.number === TriggerValue) return true;
      if (TriggerType === 'RequestUriHostname' && connector?.accountId === accountId && connector.hostName === TriggerValue.toLowerCase())
        return true;
    }
  }
  return false;
}
