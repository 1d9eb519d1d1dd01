import type { Skill } from '../../contracts/skill.ts';
import { essenceOf } from './speech.ts';

/** Words that begin many orders to software, whether or not a skill's examples have them. */
const COMMON =
  'add analyse analyze apply assess audit benchmark bring browse build change check choose clean clear click close collect compare contrast convert copy correct create crawl debug delete deploy describe document download drop edit evaluate examine execute explain export extend extract fetch figure fill find fix format gather generate get give go grab harvest hunt implement import improve inspect install introduce investigate kick launch list load log look make measure mend merge migrate modernise move navigate open optimise optimize patch pick port press print promote publish pull push put read rebase recap refactor register release remove rename reorganise repair replace report rerun reset resolve restart restructure review rewrite roll run save scan scrape scroll search send set ship show sign simplify solve sort speed split spot stabilise subscribe summarise summarize switch take tell test tidy track trigger turn type undo update upgrade upload use validate verify vet visit watch wrap write'.split(
    ' ',
  );
/** First words of examples that begin no order. */
const NO_VERBS = new Set(
  'the a an my our your this that these those there here i we you he she it they is are was were do does did has have had can could will would should what which who how why when where if in on at for with from to by as of and or but not no yes some any all every one two three four five new old please hey what whats hows wheres which whose am be let'.split(
    ' ',
  ),
);

/** The words that begin orders: the common ones, and those that begin two or more examples of the skills. */
export const verbsOf = (skills: readonly Skill[]): ReadonlySet<string> => {
  const counts = new Map<string, number>();
  for (const { examples } of skills)
    for (const example of examples) {
      const [first = ''] = essenceOf(example).split(' ');
      if (first.length > 2 && !NO_VERBS.has(first)) counts.set(first, (counts.get(first) ?? 0) + 1);
    }
  return new Set([...COMMON, ...[...counts].filter(([, count]) => count > 1).map(([word]) => word)]);
};
