/**
 * `shoal sandbox line`: LINE's side, to try Shoal and one's own bot against, without an account at LINE.
 */
import { Command, InvalidArgumentError } from 'commander';
import { type LineSide, startLineSide } from '../../simulator/line/line-side.ts';
import { readInstant } from '../imports/values.ts';
import { type Clock, lineZone } from '../time.ts';
import type { CommandContext } from './context.ts';
import { untilStopped, whenStopped } from './until-stopped.ts';

type Flags = {
  port: number;
  host: string;
  seed: number;
  people: number;
  pastDays: number;
  webhook?: string;
  channelSecret?: string;
  accessToken?: string;
  batch: number;
  repeat: number;
  late: number;
  begin?: number;
  still: boolean;
  redelivery: boolean;
  limits: boolean;
  openLinks: boolean;
};

const help = `
It answers LINE's calls for one account, sends its webhooks, and knows the truth. Time passes by itself, and can be run forward
(Shoal sets aside what is more than 24 hours ahead of its own clock: --begin in the past, and run it up to the present):

  curl localhost:8090/sandbox/run -H 'content-type: application/json' -d '{"hours":6}'
  curl localhost:8090/sandbox/act -H 'content-type: application/json' -d '{"action":"follow"}'       write, tap, block, unblock; userId
  curl localhost:8090/sandbox/faults -H 'content-type: application/json' -d '{"kind":"error","path":"/v2/bot/insight/","count":3}'
  curl localhost:8090/sandbox/truth

docs/sandbox.md has all of them.`;

/** Adds the command. It opens no database. */
export function register(program: Command, context: CommandContext): void {
  const sandbox = new Command('sandbox').description('Stand-ins for the platforms, to test against: line.');
  program.addCommand(sandbox);
  sandbox
    .command('line')
    .description("LINE's servers for one account: calls, webhooks, people, and the truth of every figure.")
    .option('--port <value>', 'port to listen on; 0 takes a free one', whole(0, 65_535), 8090)
    .option('--host <value>', 'address to listen on; whoever reaches it may control the sandbox', '127.0.0.1')
    .option('--seed <number>', 'which world of people', whole(0, 2 ** 32 - 1), 1)
    .option('--people <count>', 'friends by the start, about', whole(0, 100_000), 200)
    .option('--past-days <count>', 'days the account has existed before', whole(0, 3_650), 60)
    .option(
      '--begin <time>',
      'when its clock begins: ISO 8601 with its zone, or a date (UTC+9); default: now',
      (text) => readInstant(text, lineZone),
    )
    .option('--still', 'its clock stands still, and moves only when it is run forward', false)
    .option('--webhook <url>', 'where webhooks go from the beginning')
    .option('--channel-secret <secret>', 'signs the webhooks; default: made from the seed')
    .option('--access-token <token>', 'opens the calls; default: made from the seed')
    .option('--batch <count>', 'most events in one webhook', whole(1, 100), 1)
    .option('--repeat <share>', 'share of webhooks sent again though answered, 0 to 1', share, 0)
    .option('--late <minutes>', 'by up to so much an event comes late, after later ones', whole(0, 10_080), 0)
    .option('--no-redelivery', 'do not send again what was not answered 2xx within 2 s')
    .option('--no-limits', "without LINE's 60 calls an hour")
    .option('--open-links', 'people really open the URLs they click, where those lead to this machine', false)
    .addHelpText('after', help)
    .action((flags: Flags) => run(context, flags));
}

async function run(context: CommandContext, flags: Flags): Promise<void> {
  const { port, host, seed, people, pastDays, channelSecret, accessToken, openLinks, redelivery } = flags;
  const side = await startLineSide({
    ...{ port, host, seed, people, pastDays, redelivery },
    ...(channelSecret === undefined ? {} : { channelSecret }),
    ...(accessToken === undefined ? {} : { accessToken }),
    clock: clockOf(context, flags),
    webhook: flags.webhook ?? null,
    disturbance: { batchMax: flags.batch, repeatShare: flags.repeat, lateMinutesMax: flags.late },
    callsPerHour: flags.limits ? 60 : null,
    opensLinks: openLinks,
    isLive: true,
  });
  try {
    context.out(told(side, seed));
    await untilStopped(whenStopped);
  } finally {
    await side.close();
  }
}

// Without --begin, the very time of this machine; with it, a clock that goes on from there.
function clockOf({ clock }: CommandContext, { begin, still }: Flags): Clock {
  const startedAt = clock();
  const from = begin ?? startedAt;
  return still ? () => from : () => from + clock() - startedAt;
}

function told({ address, credentials, control }: LineSide, seed: number): string {
  const { destination, channelSecret, accessToken } = credentials;
  const { followers, blocks } = control.truth();
  return `LINE's side listens on ${address}: ${followers} friends, ${blocks} of them block, seed ${seed}.

Connect a channel of Shoal to it (BOT: what "shoal bot create" printed):

  export SHOAL_LINE_API=${address}        # or --line-api ${address}
  npx shoal channel set BOT line --channel-secret ${channelSecret} --channel-access-token ${accessToken} --destination ${destination}
  npx shoal serve

and tell LINE's side where Shoal's webhooks are:

  curl -X PUT ${address}/v2/bot/channel/webhook/endpoint -H 'Authorization: Bearer ${accessToken}' -H 'Content-Type: application/json' -d '{"endpoint":"http://127.0.0.1:8080/webhooks/BOT/line"}'

Some hours further, and the truth:

  curl ${address}/sandbox/run -H 'Content-Type: application/json' -d '{"hours":6}'
  curl ${address}/sandbox/truth
`;
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (text !== '' && Number.isInteger(number) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

function share(text: string): number {
  const number = Number(text);
  if (text !== '' && number >= 0 && number <= 1) return number;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}
