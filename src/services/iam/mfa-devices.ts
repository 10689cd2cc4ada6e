/**
 * Virtual MFA devices. A device is created without an owner, enabled for a user by two consecutive codes, deactivated, and deleted.
 *
 * Source: IAM API reference. Messages of the real service as quoted in public reports.
 */
import { type AccountId, arn } from '#core/arn.ts';
import { toBase32 } from '#core/base32.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { IamApi, User } from '#model/generated/iam.ts';
import type { MfaDeviceRecord } from '#store/identity/identity.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Tx } from '#store/store.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import type { IamDeps } from './deps.ts';
import { entity, entitySummary } from './entities.ts';
import { AwsError } from './errors.ts';
import { findDevice, mfaSubject, synchronized } from './mfa.ts';
import { iamArn, nameKey } from './names.ts';
import { pageOf, pageOfStored } from './page.ts';
import { qrCodePng } from './qr-code.ts';
import { withinQuota } from './quotas.ts';
import { type Context, onArn, onCreated, onUser, onUserOrSelf, requestTagKeys, requestTags, tagMap, userOrSelf } from './resources.ts';
import { someTags, toUser } from './shapes.ts';
import { mergedTags, newTags, tagsWithout } from './tag-rules.ts';
import { pageOfTags } from './tags.ts';

/**
 * Size of a seed, the secret from which a device computes its codes: 40 bytes, which are 64 characters in base32.
 * Source: IAM User Guide.
 */
const SEED_BYTES = 40;

/** Returns the operations that need the seed of a device, either to create the seed or to check codes. */
function seedOperations(deps: IamDeps) {
  return {
    CreateVirtualMFADevice: {
      access: (input, caller) =>
        onCreated('iam:TagMFADevice', iamArn(caller.accountId, 'mfa', input.Path ?? '/', input.VirtualMFADeviceName), input.Tags),
      async handle(call, input) {
        const tags = newTags(input.Tags);
        withinQuota('MFADevicesPerAccount', (await call.tx.identity.count(call.accountId, 'mfa-device')) + 1);
        const serialNumber = iamArn(call.accountId, 'mfa', input.Path ?? '/', input.VirtualMFADeviceName);
        const seed = toBase32(call.random(SEED_BYTES));
        const device: MfaDeviceRecord = {
          accountId: call.accountId,
          serialNumber,
          sealedSeed: deps.vault.seal(seed, serialNumber),
          createdAt: call.now,
          tags,
        };
        if ((await call.tx.identity.add(call.accountId, 'mfa-device', nameKey(serialNumber), device)) === 'exists') {
          throw new AwsError('EntityAlreadyExistsException', 'MFADevice entity at the same path and name already exists.');
        }
        return {
          VirtualMFADevice: omitUndefined({
            SerialNumber: serialNumber,
            Base32StringSeed: new Uint8Array(Buffer.from(seed)),
            QRCodePNG: qrCodePng(otpAuthUri(call.accountId, input.VirtualMFADeviceName, seed)),
            Tags: someTags(tags),
          }),
        };
      },
    },

    EnableMFADevice: {
      access: (input, caller) => onUser(caller, input.UserName),
      async handle(call, input) {
        const owner = await ownerNamed(call, input.UserName);
        const device = await deviceOf(call.tx, call.accountId, input.SerialNumber);
        if (device.enabledAt !== undefined) {
          throw new AwsError('EntityAlreadyExistsException', `MFA Device is already in use.`);
        }
        const running = synchronized(deps.vault, device, [input.AuthenticationCode1, input.AuthenticationCode2], call.now, 'enable');
        if (running === undefined) throw wrongCode();
        await changeOwned(call, owner, (serials) => {
          withinQuota('MFADevicesPerUser', serials.length + 1);
          return [...serials, device.serialNumber];
        });
        await call.tx.attempts.clear(call.accountId, mfaSubject(device.serialNumber));
        await saveDevice(call, { ...running, owner, enabledAt: call.now });
        return {};
      },
    },

    ResyncMFADevice: {
      access: (input, caller) => onUser(caller, input.UserName),
      async handle(call, input) {
        const owner = await ownerNamed(call, input.UserName);
        const device = await ownedDevice(call, owner, input.SerialNumber);
        const running = synchronized(deps.vault, device, [input.AuthenticationCode1, input.AuthenticationCode2], call.now, 'resync');
        if (running === undefined) throw wrongCode();
        await call.tx.attempts.clear(call.accountId, mfaSubject(device.serialNumber));
        await saveDevice(call, running);
        return {};
      },
    },
  } satisfies Partial<ServiceOperations<IamApi>>;
}

/** Operations on MFA devices that do not need their seeds. */
const deviceOperations = {
  DeactivateMFADevice: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      const name = userOrSelf(call, input.UserName);
      const owner = name === undefined ? ({ type: 'Root' } as const) : await ownerNamed(call, name);
      const device = await ownedDevice(call, owner, input.SerialNumber);
      await changeOwned(call, owner, (serials) => serials.filter((serial) => serial !== device.serialNumber));
      const { owner: _, enabledAt, ...idle } = device;
      await saveDevice(call, idle);
      return {};
    },
  },

  DeleteVirtualMFADevice: {
    access: (input, caller) => onDevice(caller, input.SerialNumber),
    async handle(call, input) {
      const device = await deviceOf(call.tx, call.accountId, input.SerialNumber);
      if (device.enabledAt !== undefined) {
        throw new AwsError('DeleteConflictException', 'MFA VirtualDevice in use. Must deactivate first.');
      }
      await call.tx.identity.remove(call.accountId, 'mfa-device', nameKey(device.serialNumber));
      return {};
    },
  },

  GetMFADevice: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      const name = userOrSelf(call, input.UserName);
      const owner = name === undefined ? ({ type: 'Root' } as const) : await ownerNamed(call, name);
      const device = await ownedDevice(call, owner, input.SerialNumber);
      const UserName = owner.type === 'IAMUser' ? owner.userName : undefined;
      return omitUndefined({ UserName, SerialNumber: device.serialNumber, EnableDate: device.enabledAt });
    },
  },

  ListMFADevices: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      const name = userOrSelf(call, input.UserName);
      const owner = name === undefined ? ({ type: 'Root' } as const) : await ownerNamed(call, name);
      const serials = await serialsOf(call, owner);
      const page = pageOf(
        input,
        serials.map((serial) => ({ key: serial, record: serial })),
      );
      const devices = [];
      for (const serial of page.records) {
        const device = await deviceOf(call.tx, call.accountId, serial);
        const UserName = owner.type === 'IAMUser' ? owner.userName : call.accountId;
        devices.push({ UserName, SerialNumber: serial, EnableDate: device.enabledAt ?? device.createdAt });
      }
      return { MFADevices: devices, ...page.rest };
    },
  },

  ListVirtualMFADevices: {
    async handle(call, input) {
      const status = input.AssignmentStatus ?? 'Any';
      const users = new Map<string, User>();
      const page = await pageOfStored<IdentitySummaries['mfa-device']>(
        call.tx.identity,
        input,
        (after, limit) => call.tx.identity.summaries(call.accountId, 'mfa-device', omitUndefined({ after, limit })),
        async ({ owner, enabledAt }) => {
          if (status !== 'Any' && (status === 'Assigned') !== (enabledAt !== undefined)) return false;
          if (owner?.type === 'IAMUser') users.set(owner.userName, toUser(await entitySummary(call, 'user', owner.userName)));
          return true;
        },
      );
      const devices = page.records.map(({ serialNumber, enabledAt, owner }) =>
        omitUndefined({
          SerialNumber: serialNumber,
          EnableDate: enabledAt,
          User: owner?.type === 'IAMUser' ? users.get(owner.userName) : undefined,
        }),
      );
      return { VirtualMFADevices: devices, ...page.rest };
    },
  },

  TagMFADevice: {
    access: (input, caller) => onDevice(caller, input.SerialNumber, requestTags(input.Tags)),
    async handle(call, input) {
      const device = await deviceOf(call.tx, call.accountId, input.SerialNumber);
      await saveDevice(call, { ...device, tags: mergedTags(device.tags, input.Tags) });
      return {};
    },
  },
  UntagMFADevice: {
    access: (input, caller) => onDevice(caller, input.SerialNumber, requestTagKeys(input.TagKeys)),
    async handle(call, input) {
      const device = await deviceOf(call.tx, call.accountId, input.SerialNumber);
      await saveDevice(call, { ...device, tags: tagsWithout(device.tags, input.TagKeys) });
      return {};
    },
  },
  ListMFADeviceTags: {
    access: (input, caller) => onDevice(caller, input.SerialNumber),
    handle: async (call, input) => pageOfTags(input, (await deviceOf(call.tx, call.accountId, input.SerialNumber)).tags),
  },
} satisfies Partial<ServiceOperations<IamApi>>;

/** Returns the operations on MFA devices. */
export function mfaDeviceOperations(deps: IamDeps) {
  return { ...seedOperations(deps), ...deviceOperations };
}

type Owner = NonNullable<MfaDeviceRecord['owner']>;

/** Returns the URI in the QR code for an authenticator app. Source: Key URI Format of Google Authenticator. */
function otpAuthUri(accountId: AccountId, name: string, seed: string): string {
  const issuer = encodeURIComponent('Amazon Web Services');
  return `otpauth://totp/${issuer}:${encodeURIComponent(name)}@${accountId}?secret=${seed}&issuer=${issuer}`;
}

/** Returns the error for wrong codes. Source: message of the real service as quoted in public reports. */
function wrongCode(): AwsError {
  return new AwsError('InvalidAuthenticationCodeException', 'Authentication code for device is not valid.');
}

function onDevice(caller: Caller, serialNumber: string, context: Context = []): DeclaredAccess {
  const resource = serialNumber.startsWith('arn:') ? serialNumber : arn('iam', '', caller.accountId, `mfa/${serialNumber}`);
  return {
    ...onArn(resource, context),
    resourceTags: async (tx) => {
      const device = await findDevice(tx, caller.accountId, serialNumber);
      return [device && tagMap(device.tags)];
    },
  };
}

async function deviceOf(tx: Tx, accountId: AccountId, serialNumber: string): Promise<MfaDeviceRecord> {
  const device = await findDevice(tx, accountId, serialNumber);
  if (device === undefined)
    throw new AwsError('NoSuchEntityException', `VirtualMFADevice with serial number ${serialNumber} does not exist.`);
  return device;
}

async function saveDevice(call: Call, device: MfaDeviceRecord): Promise<void> {
  await call.tx.identity.put(call.accountId, 'mfa-device', nameKey(device.serialNumber), device);
}

/**
 * Returns the owner that a request names: an IAM user or, if a root user passes its account ID as name, the root user.
 *
 * Assumed: the root user may enable a device through the API. AWS allows this only in its console.
 */
async function ownerNamed(call: Call, userName: string): Promise<Owner> {
  if (call.principal.type === 'Root' && userName === call.accountId) return { type: 'Root' };
  return { type: 'IAMUser', userName: (await entity(call, 'user', userName)).userName };
}

async function serialsOf(call: Call, owner: Owner): Promise<readonly string[]> {
  const record =
    owner.type === 'Root'
      ? await call.tx.identity.get(call.accountId, 'account', call.accountId)
      : await entity(call, 'user', owner.userName);
  return record?.mfaSerialNumbers ?? [];
}

async function ownedDevice(call: Call, owner: Owner, serialNumber: string): Promise<MfaDeviceRecord> {
  const device = await deviceOf(call.tx, call.accountId, serialNumber);
  if (!(await serialsOf(call, owner)).includes(device.serialNumber)) {
    throw new AwsError('NoSuchEntityException', `MFA Device with serial number ${serialNumber} is not enabled for this user.`);
  }
  return device;
}

async function changeOwned(call: Call, owner: Owner, change: (serials: readonly string[]) => readonly string[]): Promise<void> {
  const { tx, accountId } = call;
  const mfaSerialNumbers = change(await serialsOf(call, owner));
  if (owner.type === 'IAMUser') {
    await tx.identity.put(accountId, 'user', nameKey(owner.userName), {
      ...(await entity(call, 'user', owner.userName)),
      mfaSerialNumbers,
    });
    return;
  }
  const account = await tx.identity.get(accountId, 'account', accountId);
  if (account !== undefined) await tx.identity.put(accountId, 'account', accountId, { ...account, mfaSerialNumbers });
}
