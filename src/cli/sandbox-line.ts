/** `shoal sandbox line`: the LINE simulator, to test Shoal or a bot without an account at LINE. */
import {
  type LineSimulator,
  type LineSimulatorOptions,
  startLineSimulator,
} from '../../simulator/line/simulator.ts';
import { listenProblem } from '../http/listen-problem.ts';
import { lineZone } from '../time.ts';
import type { ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import {
  addDisturbance,
  addPort,
  addSandboxOptions,
  type Disturbed,
  type SandboxFlags,
  sandboxClock,
  webUrl,
} from './sandbox-options.ts';
import { untilStopped, whenStopped } from './until-stopped.ts';

type Flags = SandboxFlags &
  Disturbed &
  Pick<LineSimulatorOptions, 'webhook' | 'channelSecret' | 'accessToken'> & {
    port: number;
    redelivery: boolean;
    limits: boolean;
    openLinks: boolean;
  };

const help = `
The simulator's clock runs, and you can advance it. Shoal sets aside events more than
24 hours ahead of its own clock. To simulate several days, use --begin with a past time,
then advance to the present.

  curl localhost:8090/sandbox/run -H 'content-type: application/json' -d '{"hours":6}'
  curl localhost:8090/sandbox/act -H 'content-type: application/json' -d '{"action":"follow"}'
  curl localhost:8090/sandbox/faults -H 'content-type: application/json' -d '{"kind":"error","path":"/v2/bot/insight/","count":3}'
  curl localhost:8090/sandbox/truth

The other actions are write, tap, block and unblock. A "userId" selects the person.
docs/sandbox.md lists all calls.`;

/** Adds the command. It opens no database. */
export function addSandboxLine(sandbox: ShoalCommand, context: CommandContext): void {
  const command = sandbox.add(
    'line',
    'Simulate LINE for one account: calls, webhooks, people, and the true value of every figure.',
  );
  addPort(command, 8090);
  addSandboxOptions(command, { people: 200, zone: lineZone })
    .option('--webhook <url>', 'webhook URL at the start, http:// or https://', webUrl)
    .option('--channel-secret <secret>', 'secret for webhook signatures; default: derived from the seed')
    .option('--access-token <token>', 'access token for the calls; default: derived from the seed');
  addDisturbance(command)
    .option('--no-redelivery', 'do not redeliver webhooks without a 2xx answer within 2 s')
    .option('--no-limits', "turn off LINE's limit of 60 calls per hour")
    .option('--open-links', 'people really open the URLs they click, when these lead to this machine', false)
    .addHelpText('after', help)
    .action((flags: Flags) => run(context, flags));
}

async function run(context: CommandContext, flags: Flags): Promise<void> {
  const { batch, repeat, late, begin, still, limits, openLinks, ...options } = flags;
  const { port, host, seed } = options;
  const simulator = await startLineSimulator({
    ...options,
    clock: sandboxClock(context, { begin, still }),
    disturbance: { batchMax: batch, repeatShare: repeat, lateMinutesMax: late },
    callsPerHour: limits ? 60 : null,
    opensLinks: openLinks,
    isLive: true,
  }).catch((error: unknown) => {
    throw listenProblem(error, { host, port, flag: 'port' });
  });
  try {
    context.out(lineInstructions(simulator, seed));
    await untilStopped(whenStopped);
  } finally {
    await simulator.close();
  }
}

export function lineInstructions({ address, credentials, control }: LineSimulator, seed: number): string {
  const { destination, channelId, channelSecret, accessToken } = credentials;
  const { followers, blocks } = control.truth();
  return `The LINE simulator listens on ${address}: ${followers} friends, ${blocks} of them have blocked the account, seed ${seed}.

Connect a channel of Shoal to it. Replace BOT by your bot's id:

  export SHOAL_LINE_API=${address}        # or --line-api ${address}
  npx shoal channel set BOT line --channel-id ${channelId} --channel-secret ${channelSecret} --channel-access-token ${accessToken} --destination ${destination}
  npx shoal serve

Then set Shoal's webhook URL in the simulator:

  curl -X PUT ${address}/v2/bot/channel/webhook/endpoint -H 'Authorization: Bearer ${accessToken}' -H 'Content-Type: application/json' -d '{"endpoint":"http://127.0.0.1:8080/webhooks/BOT/line"}'

Advance some hours, and read the true figures:

  curl ${address}/sandbox/run -H 'Content-Type: application/json' -d '{"hours":6}'
  curl ${address}/sandbox/truth
`;
}
