/** Stored configurations of OpenID providers. */
import type { AccountId } from '#core/arn.ts';
import type { Vault } from '#core/vault.ts';
import type { ResourceKey, ResourceKind, ResourceRecord } from '#store/resources.ts';
import type { Reseal } from '../kit/service.ts';

export interface OpenIdDocument {
  readonly Issuer: string;
  readonly ClientId: string;
  /** Client secret, encrypted by `Vault.seal`, bound to `openIdBinding`. A public client has none. */
  readonly sealedSecret?: string;
}

/** Configurations of OpenID providers. The parent is the Chime account, which has at most one. */
export const CHIME_OPENID_CONFIG: ResourceKind<OpenIdDocument> = { name: 'chime-openid-config' };
export type OpenIdRecord = ResourceRecord<OpenIdDocument>;

/** Returns the key of the configuration of a Chime account. */
export function openIdKey({ accountId, chimeAccountId }: { readonly accountId: AccountId; readonly chimeAccountId: string }): ResourceKey {
  return { accountId, region: '', parent: chimeAccountId, id: 'openid' };
}

/** Returns the `boundTo` argument of `Vault.seal` for a client secret. A secret is valid for one issuer, so that it is sent to no other one. */
export function openIdBinding({ accountId, parent }: ResourceKey, issuer: string): string {
  return `chime-openid/${accountId}/${parent}/${issuer}`;
}

/** Returns the client secret of a configuration. */
export function openClientSecret(vault: Pick<Vault, 'open'>, config: OpenIdRecord): string | undefined {
  const { sealedSecret, Issuer } = config.document;
  return sealedSecret === undefined ? undefined : vault.open(sealedSecret, openIdBinding(config, Issuer));
}

/** Returns a configuration whose secret is encrypted with the newest operator key. */
export function resealedOpenId(config: OpenIdRecord, reseal: Reseal): OpenIdRecord {
  const { sealedSecret, Issuer } = config.document;
  if (sealedSecret === undefined) return config;
  return { ...config, document: { ...config.document, sealedSecret: reseal(sealedSecret, openIdBinding(config, Issuer)) } };
}
