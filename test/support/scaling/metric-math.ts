/** A metric's value in one period; undefined where it has none. */
export type Value = number | undefined;

type Metrics = Readonly<Record<string, Value>>;
type Term = (metrics: Metrics) => Value;

const TOKEN = /\s*(>=|<=|[()+*,<>-]|\d+(?:\.\d+)?|\w+)/y;

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '>': (a, b) => Number(a > b),
  '>=': (a, b) => Number(a >= b),
  '<': (a, b) => Number(a < b),
  '<=': (a, b) => Number(a <= b),
};

/** From the loosest to the tightest. */
const LEVELS = [['>', '>=', '<', '<='], ['+', '-'], ['*']];

/**
 * Reads the part of CloudWatch's metric math that the alarms use; the result gives the value of one period. Source:
 * "Using math expressions with CloudWatch metrics": a missing operand makes the result missing, FILL excepted.
 */
export function compile(expression: string): Term {
  const tokens = tokenize(expression);
  const next = () => tokens.shift() ?? fail(`${expression} ends too soon`);

  function level(index: number): Term {
    const operators = LEVELS[index];
    if (!operators) return atom();
    let left = level(index + 1);
    while (operators.includes(tokens[0] ?? '')) left = both(next(), left, level(index + 1));
    return left;
  }

  function atom(): Term {
    const token = next();
    if (/^\d/.test(token)) return () => Number(token);
    if (token === '-') return both('-', () => 0, atom());
    if (tokens[0] === '(') return call(token);
    if (!/^\w/.test(token)) fail(`${expression}: ${token} is in the way`);
    return (metrics) => (token in metrics ? metrics[token] : fail(`there is no metric ${token}`));
  }

  function call(name: string): Term {
    const terms: Term[] = [];
    do {
      next();
      terms.push(level(0));
    } while (tokens[0] === ',');
    if (next() !== ')') fail(`${expression}: a bracket is open`);
    const [first, second, third] = terms as [Term, Term, Term];
    if (name === 'FILL' && terms.length === 2) return (metrics) => first(metrics) ?? second(metrics);
    if (name !== 'IF' || terms.length !== 3) fail(`${name} of ${terms.length} is not known here`);
    return (metrics) => {
      const condition = first(metrics);
      if (condition === undefined) return undefined;
      return condition ? second(metrics) : third(metrics);
    };
  }

  const term = level(0);
  return tokens.length === 0 ? term : fail(`${expression} goes on with ${tokens.join(' ')}`);
}

function both(operator: string, left: Term, right: Term): Term {
  const apply = OPERATORS[operator] as (a: number, b: number) => number;
  return (metrics) => {
    const [a, b] = [left(metrics), right(metrics)];
    return a === undefined || b === undefined ? undefined : apply(a, b);
  };
}

function tokenize(expression: string): string[] {
  const tokens: string[] = [];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < expression.length) {
    const [, token] = pattern.exec(expression) ?? fail(`${expression} cannot be read`);
    tokens.push(token as string);
  }
  return tokens;
}

function fail(message: string): never {
  throw new Error(message);
}
