/** Composition of the browser sign-in. */
import { nameDigest } from '#access/name-digest.ts';
import { consoleSignIns } from '#access/sign-in.ts';
import { issuerContact } from '#delivery/outgoing/targets/issuers.ts';
import { isS3Request } from '#wire/s3-address.ts';
import { type SignInPages, signInPages } from '../sign-in/pages.ts';
import { siteOf } from '../sign-in/site.ts';
import type { Server } from './answer.ts';
import type { Calls } from './call.ts';
import type { Identity } from './core-identity.ts';
import type { CoreParts } from './core-parts.ts';
import { newGate } from './offload.ts';
import { loadPeople, loadScim, loadWebhooks } from './services.ts';

/** Creates the pages of the browser sign-in. `publicUrl` returns the URL that clients use for this server. */
export function composeSignIn(parts: CoreParts, identity: Identity, server: Server, calls: Calls, publicUrl: () => string): SignInPages {
  const { settings, ring, vault } = parts;
  const { store, snapshot, principals, sessions, federate, verifyMfa } = identity;
  return signInPages({
    store,
    snapshot,
    principals,
    sessions,
    signIns: consoleSignIns({ vault, sessions, principals, snapshot }),
    federate,
    verifyMfa,
    // A gate limits concurrent work. Sign-ins have a separate one, so that they do not delay authenticated callers.
    gate: newGate(2),
    call: calls.callWithDocument,
    now: server.now,
    newId: parts.newId,
    random: parts.random,
    recording: parts.recording,
    region: settings.region,
    unproven: server.unproven,
    recorded: new WeakSet(),
    holds: server.holds,
    site: siteOf(settings),
    isForS3: (received) => isS3Request(received, settings),
    nameDigest: nameDigest(ring.keys),
    failuresPerSource: settings.signInFailures,
    report: server.report,
    addEmit: server.addEmit,
    publicUrl,
    loadPeople: () => loadPeople(ring.keys),
    vault,
    internalDirectories: settings.internalDirectories,
    openIdStates: vault.box('sign-ins at OpenID providers'),
    contactIssuer: issuerContact(settings.internalIssuers),
    scimUsersMax: settings.scimUsersMax,
    loadScim,
    loadWebhooks,
  });
}
