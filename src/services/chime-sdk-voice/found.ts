import { arn } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ResourceKind, ResourcePlace, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { type Page, type PageRequest, pageOf } from '../chime/page.ts';
import { tagValues } from '../chime/tags.ts';
import type { Access, Call, Caller } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { type Configurations, SIP_MEDIA_APPLICATION, VOICE_CONNECTOR, type VoiceConnectorDocument, type VoiceKind } from './kinds.ts';

/** Whose resources are meant, and of which control plane. */
export type Where = Pick<Caller, 'accountId' | 'region'>;

/** More than an account has: its limits are far below. */
const EVERY = Number.MAX_SAFE_INTEGER;

/** The ids given here: 22 letters and digits of a connector, UUIDs of all others. Others are not sought. */
const ID = /^[0-9a-z-]{1,36}$/;

/** `arn:aws:chime:us-east-1:111122223333:vc/<id>`. */
export function voiceArn({ name }: ResourceKind<unknown>, { region, accountId }: Where, id: string): string {
  return arn('chime', region, accountId, `${name}/${id}`);
}

export function placeOf({ accountId, region }: Where): ResourcePlace {
  return { accountId, region, parent: '' };
}

/** The one of an id in the caller's account and region. */
export async function find<Document>(
  tx: Tx,
  where: Where,
  kind: ResourceKind<Document>,
  id: string,
): Promise<ResourceRecord<Document> | undefined> {
  return ID.test(id) ? await tx.resources.get(kind, { ...placeOf(where), id }) : undefined;
}

/** The one of an id in the caller's account, in its own region or else in another: groups and rules reach over regions (RES-1). */
export async function findAnywhere<Document>(
  tx: Tx,
  where: Where,
  kind: ResourceKind<Document>,
  id: string,
): Promise<ResourceRecord<Document> | undefined> {
  return (await find(tx, where, kind, id)) ?? (await everyOfAccount(tx, where, kind)).find((each) => each.id === id);
}

/** Every one of a kind in the caller's account, whatever the region. */
export function everyOfAccount<Document>(
  tx: Tx,
  { accountId }: Pick<Where, 'accountId'>,
  kind: ResourceKind<Document>,
): Promise<readonly ResourceRecord<Document>[]> {
  return tx.resources.listOfAccount(kind, accountId, EVERY);
}

/** Source: Chime SDK API reference, ListSipRules, MaxResults. Assumed: so for every list of this service. */
const PAGE_RESULTS = 100;

/**
 * A page of those of a kind in the caller's account and region, in the order of ids; of what `read` gives, where only some are
 * asked for, by the name of another `question`.
 *
 * @throws BadRequestException a token of another question
 */
export function pageOfKind<Document>(
  { tx, ...where }: Call,
  kind: ResourceKind<Document>,
  request: PageRequest,
  read = (limit: number, after: string | undefined) => tx.resources.list(kind, placeOf(where), limit, after),
  question = kind.name,
): Promise<Page<ResourceRecord<Document>>> {
  return pageOf(question, request, read, ({ id }) => id, PAGE_RESULTS);
}

/** @throws NotFoundException no such resource in the caller's account and region */
export async function orNotFound<Document>(call: Call, kind: VoiceKind<Document>, id: string): Promise<ResourceRecord<Document>> {
  const found = await find(call.tx, call, kind, id);
  if (found === undefined) throw notFound(kind, id);
  return found;
}

/** Assumed: the text. */
export function notFound({ title }: VoiceKind<unknown>, id: string): AwsError {
  return new AwsError('NotFoundException', `${title} ${id} not found.`);
}

/** Assumed: the text. */
export function limitExceeded({ title }: VoiceKind<unknown>, most: number): AwsError {
  return new AwsError('ResourceLimitExceededException', `The limit of ${most} is reached for: ${title}.`);
}

/** A new resource of the caller's account and region. */
export async function addNew<Document>(
  call: Call,
  kind: ResourceKind<Document>,
  { id, tags = [], document }: Pick<ResourceRecord<Document>, 'id' | 'document'> & Partial<Pick<ResourceRecord<Document>, 'tags'>>,
): Promise<ResourceRecord<Document>> {
  const record = { ...placeOf(call), id, createdAt: call.now, updatedAt: call.now, tags, document };
  if ((await call.tx.resources.add(kind, record)) === 'exists') throw new Error(`a new id is in use: ${kind.name} ${id}`);
  return record;
}

/** Keeps a changed document, as changed now. */
export async function update<Document>(
  call: Call,
  kind: ResourceKind<Document>,
  before: ResourceRecord<Document>,
  changes: Partial<Document>,
): Promise<ResourceRecord<Document>> {
  const after = { ...before, updatedAt: call.now, document: { ...before.document, ...changes } };
  await call.tx.resources.put(kind, after);
  return after;
}

/**
 * Asks for an action on one resource. Requirement CHM-3; in the classic profile on `*`, without tags (CHM-1, TAG-2).
 */
export function onResource(caller: Caller, action: Access['action'], kind: ResourceKind<unknown>, id: string): Access {
  if (caller.profile === 'classic') return { action, resources: ['*'] };
  return {
    action,
    resources: [voiceArn(kind, caller, id)],
    resourceTags: async (tx) => [tagValues((await find(tx, caller, kind, id))?.tags)],
  };
}

/**
 * Asks for an action on every one of the resources named; on `otherwise` where none is. They may be in other regions of the account; what
 * is nowhere is asked for as if it were in the caller's.
 *
 * Source: service authorization reference: CreateVoiceConnectorGroup, CreateSipRule and their like have a resource type that is not required.
 */
export function onEach(
  caller: Caller,
  action: Access['action'],
  kind: ResourceKind<unknown>,
  ids: readonly string[],
  otherwise: string,
): Access {
  if (caller.profile === 'classic') return { action, resources: ['*'] };
  if (ids.length === 0) return { action, resources: [otherwise] };
  // All at once, since who asks may not be allowed and may name as many as they like.
  const found = async (tx: Tx) => {
    const records = new Map((await everyOfAccount(tx, caller, kind)).map((record) => [record.id, record]));
    return ids.map((id) => records.get(id));
  };
  return {
    action,
    resources: [],
    resolve: async (tx) => (await found(tx)).map((record, index) => voiceArn(kind, record ?? caller, ids[index] as string)),
    resourceTags: async (tx) => (await found(tx)).map((record) => tagValues(record?.tags)),
  };
}

/** Asks for an action that makes or lists resources of a kind: on every one there is. Requirement CHM-3. */
export function onKind(caller: Caller, action: Access['action'], kind: ResourceKind<unknown>): Access {
  return onEach(caller, action, kind, [], voiceArn(kind, caller, '*'));
}

export function onConnector(caller: Caller, action: Access['action'], { VoiceConnectorId }: { readonly VoiceConnectorId: string }): Access {
  return onResource(caller, action, VOICE_CONNECTOR, VoiceConnectorId);
}

export function onSipMediaApplication(
  caller: Caller,
  action: Access['action'],
  { SipMediaApplicationId }: { readonly SipMediaApplicationId: string },
): Access {
  return onResource(caller, action, SIP_MEDIA_APPLICATION, SipMediaApplicationId);
}

type Connector = ResourceRecord<VoiceConnectorDocument>;

/** @throws NotFoundException no such connector */
export function connectorOrNotFound(call: Call, { VoiceConnectorId }: { readonly VoiceConnectorId: string }): Promise<Connector> {
  return orNotFound(call, VOICE_CONNECTOR, VoiceConnectorId);
}

/**
 * What was put on a connector.
 *
 * Source: the AWS provider of Terraform takes NotFoundException for what was removed.
 * Assumed: the text.
 * @throws NotFoundException no such connector, or nothing of that name was put on it
 */
export async function configurationOrNotFound<Name extends keyof Configurations>(
  call: Call,
  input: { readonly VoiceConnectorId: string },
  name: Name,
): Promise<NonNullable<Configurations[Name]>> {
  return configurationOf(await connectorOrNotFound(call, input), name);
}

/** As `configurationOrNotFound`, of a connector that is at hand. */
export function configurationOf<Name extends keyof Configurations>(connector: Connector, name: Name): NonNullable<Configurations[Name]> {
  const configuration = connector.document.configurations[name];
  if (configuration === undefined) {
    throw new AwsError('NotFoundException', `Voice Connector ${connector.id} has no configuration: ${name}.`);
  }
  return configuration;
}

/** Puts a configuration on a connector, in place of what was there. */
export async function putConfiguration<Name extends keyof Configurations>(
  call: Call,
  connector: Connector,
  name: Name,
  configuration: NonNullable<Configurations[Name]>,
): Promise<void> {
  await putDocument(call, connector, { configurations: { ...connector.document.configurations, [name]: configuration } });
}

/** Takes a configuration away. Assumed: where there is none, nothing is amiss. */
export async function removeConfiguration(call: Call, connector: Connector, name: keyof Configurations): Promise<void> {
  await putDocument(call, connector, { configurations: withoutConfiguration(connector, name) });
}

export function withoutConfiguration({ document }: Connector, name: keyof Configurations): Configurations {
  return omitUndefined({ ...document.configurations, [name]: undefined });
}

/** Changes what a connector has. Assumed: the connector itself does not count as updated. */
export async function putDocument({ tx }: Call, connector: Connector, changes: Partial<VoiceConnectorDocument>): Promise<void> {
  await tx.resources.put(VOICE_CONNECTOR, { ...connector, document: { ...connector.document, ...changes } });
}
