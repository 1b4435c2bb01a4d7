/** `shoal sandbox meta`: the Meta simulator, for Messenger, Instagram and WhatsApp. */
import { type MetaSimulator, startMetaSimulator } from '../../simulator/meta/simulator.ts';
import { listenProblem } from '../http/listen-problem.ts';
import type { ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import {
  addDisturbance,
  addPort,
  addSandboxOptions,
  type Disturbed,
  type SandboxFlags,
  sandboxClock,
} from './sandbox-options.ts';
import { untilStopped, whenStopped } from './until-stopped.ts';

type Flags = SandboxFlags &
  Disturbed & { port: number; appSecret?: string; verifyToken?: string; limits: boolean };

const help = `
The simulator's clock runs, and you can advance it, as that of "shoal sandbox line".

  curl localhost:8091/sandbox/run -H 'content-type: application/json' -d '{"hours":6}'
  curl localhost:8091/sandbox/act -H 'content-type: application/json' -d '{"platform":"facebook","action":"write"}'
  curl localhost:8091/sandbox/faults -H 'content-type: application/json' -d '{"code":190,"path":"/me","count":3}'
  curl localhost:8091/sandbox/truth

The other actions are tap and block. A "personId" selects the person.
docs/sandbox.md lists all calls.`;

/** Adds the command. */
export function addSandboxMeta(sandbox: ShoalCommand, context: CommandContext): void {
  const command = sandbox.add(
    'meta',
    "Simulate Meta's Graph API for one page, one Instagram account and one WhatsApp number: calls, webhooks, people, and the " +
      'true value of every figure.',
  );
  addPort(command, 8091);
  addSandboxOptions(command, { people: 60, zone: 'UTC' })
    .option('--app-secret <secret>', 'secret for webhook signatures; default: derived from the seed')
    .option('--verify-token <token>', "token of the webhooks' handshake; default: derived from the seed");
  addDisturbance(command)
    .option('--no-limits', "turn off Meta's limit of 200 calls per hour for each account")
    .addHelpText('after', help)
    .action((flags: Flags) => run(context, flags));
}

async function run(context: CommandContext, flags: Flags): Promise<void> {
  const { batch, repeat, late, begin, still, limits, appSecret, verifyToken, ...options } = flags;
  const { port, host } = options;
  const simulator = await startMetaSimulator({
    ...options,
    clock: sandboxClock(context, { begin, still }),
    credentials: { ...(appSecret && { appSecret }), ...(verifyToken && { verifyToken }) },
    disturbance: { batchMax: batch, repeatShare: repeat, lateMinutesMax: late },
    callsPerHour: limits ? 200 : null,
    isLive: true,
  }).catch((error: unknown) => {
    throw listenProblem(error, { host, port, flag: 'port' });
  });
  try {
    context.out(metaInstructions(simulator));
    await untilStopped(whenStopped);
  } finally {
    await simulator.close();
  }
}

/** How to connect Shoal's channels to the simulator. */
export function metaInstructions({ address, credentials, control }: MetaSimulator): string {
  const { appId, appSecret, verifyToken, accessTokens } = credentials;
  const { counts } = control.truth();
  const shared = `--app-secret ${appSecret} --verify-token ${verifyToken}`;
  const subscription = (object: string, platform: string) =>
    `  curl ${address}/${appId}/subscriptions -H 'Content-Type: application/json' -d '${JSON.stringify({
      ...{
        object,
        callback_url: `http://127.0.0.1:8080/webhooks/BOT/${platform}`,
        verify_token: verifyToken,
      },
      access_token: `${appId}|${appSecret}`,
    })}'`;
  return `The Meta simulator listens on ${address}: ${counts.facebook.followers} people on Messenger, ${counts.instagram.followers} on Instagram, ${counts.whatsapp.followers} on WhatsApp.

Connect channels of Shoal to it. Replace BOT by your bot's id:

  export SHOAL_GRAPH_API=${address} SHOAL_INSTAGRAM_API=${address}
  npx shoal channel set BOT facebook --account-id ${credentials.pageId} ${shared} --access-token ${accessTokens.page}
  npx shoal channel set BOT instagram --account-id ${credentials.instagramId} ${shared} --access-token ${accessTokens.instagram}
  npx shoal channel set BOT whatsapp --phone-number-id ${credentials.phoneNumberId} --business-account-id ${credentials.businessAccountId} ${shared} --access-token ${accessTokens.whatsapp}
  npx shoal serve

Then subscribe Shoal to its webhooks:

${subscription('page', 'facebook')}
${subscription('instagram', 'instagram')}
${subscription('whatsapp_business_account', 'whatsapp')}

Advance some hours, and read the true figures:

  curl ${address}/sandbox/run -H 'Content-Type: application/json' -d '{"hours":6}'
  curl ${address}/sandbox/truth
`;
}
