import { CreateVirtualMFADeviceCommand, EnableMFADeviceCommand, type IAMClient } from '@aws-sdk/client-iam';
import { fromBase32 } from '#core/base32.ts';
import { instant } from '#core/instant.ts';
import { codeAt, stepAt } from '#services/iam/mfa.ts';

/** A virtual MFA device. */
export interface MfaDevice {
  readonly SerialNumber: string;
  /** Code of the next time step. The server accepts each code once. */
  readonly TokenCode: string;
}

/** Creates an MFA device and enables it for a user. Enabling uses the previous and the current code. */
export async function newMfaDevice(admin: IAMClient, UserName: string, VirtualMFADeviceName = UserName): Promise<MfaDevice> {
  const { VirtualMFADevice } = await admin.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName }));
  const SerialNumber = VirtualMFADevice?.SerialNumber as string;
  const seed = fromBase32(Buffer.from(VirtualMFADevice?.Base32StringSeed ?? []).toString());
  const step = stepAt(instant(Date.now()));
  const [AuthenticationCode1, AuthenticationCode2, TokenCode] = [codeAt(seed, step - 1), codeAt(seed, step), codeAt(seed, step + 1)];
  await admin.send(new EnableMFADeviceCommand({ UserName, SerialNumber, AuthenticationCode1, AuthenticationCode2 }));
  return { SerialNumber, TokenCode };
}
