import type { StatisticsBody } from '../api.ts';
import type { Page } from '../answer.tsx';
import { BarChart, type Bar } from './chart.tsx';
import { dayAfter, dayAt, isDay, startOf } from '../../domain/day.ts';
import { framed, Table, type Operator } from './frame.tsx';

/** What waits for a person, and the figures of a day. @param asked the day, as in the address; today if it is none */
export async function todayPage(operator: Operator, asked: string | undefined): Promise<Page> {
  const { api, now, timeZone, say } = operator;
  const day = asked !== undefined && isDay(asked) ? asked : dayAt(now, timeZone);
  const [from, to] = [startOf(day, timeZone), startOf(dayAfter(day), timeZone)].map((at) => new Date(at).toISOString());
  const figures = await api.get<StatisticsBody>(`/v1/statistics?from=${from}&to=${to}`);
  return framed({
    operator,
    place: '',
    title: day === dayAt(now, timeZone) ? say.console.today : day,
    content: (
      <>
        <Waiting operator={operator} waiting={figures.waiting} />
        <DayChoice operator={operator} day={day} />
        <Figures operator={operator} figures={figures} />
      </>
    ),
  });
}

function Waiting({ operator: { say }, waiting }: { operator: Operator; waiting: StatisticsBody['waiting'] }) {
  const w = say.console;
  if (waiting.refunds + waiting.attention === 0) return <p class="card good">{w.nothingOpen}</p>;
  return (
    <ul class="card open to-do">
      {waiting.refunds > 0 ? (
        <li>
          <a href="/console/refunds">{w.openRefunds(waiting.refunds)}</a>
        </li>
      ) : null}
      {waiting.attention > 0 ? (
        <li>
          <a href="/console/attention">{w.openAttention(waiting.attention)}</a>
        </li>
      ) : null}
    </ul>
  );
}

function DayChoice({ operator: { say, now, timeZone }, day }: { operator: Operator; day: string }) {
  const w = say.console;
  return (
    <form method="get" action="/console" class="row">
      <a href={`/console?day=${dayAfter(day, -1)}`}>{w.previousDay}</a>
      <label>
        {w.day} <input type="date" name="day" value={day} max={dayAt(now, timeZone)} required />
      </label>
      <button>{w.show}</button>
      {day < dayAt(now, timeZone) ? <a href={`/console?day=${dayAfter(day)}`}>{w.nextDay}</a> : null}
    </form>
  );
}

function Figures({ operator, figures }: { operator: Operator; figures: StatisticsBody }) {
  const { say } = operator;
  const w = say.console;
  const { orders, expired, paid, refunded } = figures;
  const counted = (rows: { count: number }[]) => rows.reduce((sum, { count }) => sum + count, 0);
  const bar = (name: string, value: number, isBad = false): Bar => ({ name, value, text: String(value), isBad });
  if (orders + expired + paid.length + refunded.length === 0) return <p class="card">{w.noFigures}</p>;
  return (
    <>
      <section class="card">
        <h2>{w.happened}</h2>
        <BarChart
          bars={[
            bar(w.ordersCreated, orders),
            bar(w.paid, counted(paid)),
            bar(w.refunded, counted(refunded), true),
            bar(w.expired, expired, true),
          ]}
        />
      </section>
      {paid.length > 0 ? <ByMethod operator={operator} paid={paid} /> : null}
      {paid.length + refunded.length > 0 ? <Sums operator={operator} figures={figures} /> : null}
    </>
  );
}

function ByMethod({ operator: { say }, paid }: { operator: Operator; paid: StatisticsBody['paid'] }) {
  const w = say.console;
  const bars = paid.map(({ method, currency, count, amount }) => ({
    name: method ? say.terms.methods[method] : w.free,
    value: count,
    text: `${w.times(count)} · ${say.money(amount, currency)}`,
  }));
  return (
    <section class="card">
      <h2>{w.byMethod}</h2>
      <BarChart bars={bars} />
    </section>
  );
}

function Sums({ operator: { say }, figures: { paid, refunded } }: { operator: Operator; figures: StatisticsBody }) {
  const w = say.console;
  const currencies = [...new Set([...paid, ...refunded].map(({ currency }) => currency))];
  const sum = (rows: { currency: string; amount: number }[], currency: string) =>
    rows.filter((row) => row.currency === currency).reduce((total, { amount }) => total + amount, 0);
  return (
    <section class="card">
      <h2>{w.sums}</h2>
      <Table caption={w.sums} heads={[w.currency, w.paid, w.refunded]}>
        {currencies.map((currency) => (
          <tr>
            <th scope="row">{currency}</th>
            <td>{say.money(sum(paid, currency), currency)}</td>
            <td>{say.money(sum(refunded, currency), currency)}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
