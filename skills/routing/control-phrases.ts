/** What a control word does. */
export const CONTROL_ACTIONS = ['cancel', 'status', 'approve', 'reject', 'cost'] as const;
export type ControlAction = (typeof CONTROL_ACTIONS)[number];

/**
 * Everything that steers instead of asking for something new, as whole utterances; contractions are written out.
 * `(a|b)` is either, `(a|)` may be missing. One object may stand where a mark is:
 * `_` what there is ("it", "the second job", "everything"), `%` the same but not everything, `@` only by name,
 * `^` not by the bare word "job": "what did that job cost" is an example of the skill that sums up.
 * `yes:` and `no:` lines count only behind that word: "do it" alone approves nothing.
 */
export const CONTROL_PHRASES: Readonly<Record<ControlAction, readonly string[]>> = {
  // No "hold on" and no "wait": who asks for a moment does not ask to throw work away.
  cancel: [
    '(stop|cancel|abort|halt|quit|never mind|nevermind)',
    '(stop|cancel|abort|halt|kill|terminate|abandon|call off|shut down|stopping|cancelling|canceling|aborting|killing) _',
    '(drop|scrap|forget|forget about|never mind|nevermind|dropping|forgetting about) %',
    'stop (working on|running|doing) _',
    'stop what you are doing',
    '(call|shut) _ (off|down)',
    '(end|quit|ending|quitting) @',
  ],
  status: [
    '(status|progress)( report| update|) (of|on|for) _',
    '(status|progress)( report| update|)',
    '(what is|show me|give me|tell me|know|get|have) (the|a|your|an updated|the current) (status|progress|state)( report| update|)',
    '(what is|show me|give me|tell me|know|get|have) (the|a|your|the current) (status|progress|state)( report| update|) (of|on|for|with) _',
    '(give|send|tell) me an update( on _| about _|)',
    '(what is|what was) _ status',
    'what the (status|progress|state)( of _|) is',
    'bring me up to date( on _|)',
    'how long (will|does|is) _ (take|going to take)',
    'how (is|are) _ (going|doing|coming|coming along|coming on|getting on|getting along|progressing|looking|proceeding)',
    'how _ (is|are) (going|doing|coming|coming along|coming on|getting on|getting along|progressing)',
    'how (far|far along) (are you|you are|did you get|have you got|have you gotten|have you come|are we|we are)',
    'how (far|far along) (are you|are we) (with|on) _',
    'how (far|far along) (is|are) _',
    'how (far|far along) _ is',
    'how far (has|did|have) _ (got|gotten|get|come)',
    'how much longer( is it going to take| will it take| do you need|)',
    'how long (until|till) (it is|you are) (done|finished|ready)',
    '(are|were) you (done|finished|nearly done|almost done|nearly finished|almost finished)( with _|)',
    'are you (still|still working|still running|still busy|still at it|still on it)',
    '(are you|are you still|what are you|what you are|where are you|where are we|how are you getting on) (working on|on|with) _',
    '(have you|you) finished( _|)',
    '(are|is) _ (done|finished|ready|complete|completed|over|through|running|working|working yet|still running|still going|still working)',
    '(is|are) _ (nearly|almost|already) (done|finished|ready|complete|completed|over|through)',
    '(has|have|did) _ (finished|finish|succeeded|succeed|failed|fail|completed|complete|worked|work|ended|end|started|start)',
    'when (will|is|are) (you|it) (be done|be finished|be ready|done|finished|ready)',
    'when will _ be (done|finished|ready)',
    '(done|finished|ready)',
    '(what|which) (jobs|tasks|agents) are (running|still running)',
    '(what|which) (job|task|agent) is (running|still running)',
    'how many (jobs|tasks|agents) are (running|still running)',
    'is (anything|something) (running|still running)',
    'what is (running|still running|going on|happening|in progress)',
    'what (are you|you are) (doing|working on|busy with)',
    'what is _ (doing|working on|up to)',
    'what _ is (doing|working on)',
    '(where are we|where do we stand|where things stand|where we are)',
    'where (is|are) _ at',
    'any (news|progress|update|updates)',
    'any (news|progress|update|updates) (on|from|about|with|of) _',
    'is there any (news|progress|update)( on _| from _| about _|)',
  ],
  approve: [
    '(approve|approved|approving|confirm|confirmed|accept|accepted|granted|agreed|allowed)',
    '(approve|approving|confirm|allow|accept|permit|authorize|authorise|go ahead with|proceed with|continue with) _',
    '(i|i do|i hereby) (approve|confirm|accept|agree)',
    '(i|i do|i hereby) (approve|confirm|accept|allow) _',
    '(it|that|this) is (approved|confirmed|accepted|allowed|granted)',
    '(you have|you got) (my|our) (approval|permission|consent|blessing)',
    'give _ (my|our|the) (approval|permission|go ahead)',
    '(permission|approval) (granted|given)',
    'you (may|can) (continue|proceed|go ahead|carry on)',
    'you may (go on|start|do it|do that|do this)',
    'you are (allowed|cleared) to (continue|proceed|go ahead|do it|do that)',
    '(go ahead|go for it|continue|proceed|carry on)',
    'yes: (do|do it|do that|do this|do so|go on|go|start|start it|run it|you may|you can|i do|it is|that is fine)',
  ],
  reject: [
    '(reject|rejected|rejecting|deny|denied|denying|decline|declined|refuse|refused|disapproved|veto)',
    '(reject|rejecting|deny|denying|decline|declining|refuse|disapprove|veto|turn down) _',
    'turn _ down',
    '(i|i do|i hereby) (reject|deny|decline|refuse|disapprove|disagree|forbid)',
    '(i|i do|i hereby) (reject|deny|decline|refuse|forbid|disapprove of|veto) _',
    '(it|that|this|you) (is|are) (not allowed|rejected|denied|declined|refused|not approved|forbidden)',
    '(not allowed|not approved|not permitted|forbidden)',
    '(permission|approval) (denied|refused|not granted)',
    '(i do|do) not (approve|allow|accept|permit|confirm|authorize|authorise)',
    '(i do|do) not (approve|allow|accept|permit|confirm|authorize|authorise|approve of) _',
    'you (may|must) not (continue|proceed|go ahead|do it|do that|do this)',
    'you are not allowed to (continue|proceed|go ahead|do it|do that)',
    'do not (do it|do that|do this|do so|go ahead|continue|proceed|go on)',
    'no: (do not|please do not|not that|i do not want it|i do not want that|you may not)',
  ],
  cost: [
    'how (much|many dollars|much money|many cents) (did|does|will|has|have) _ (cost|cost me|cost us)',
    'how (much|many dollars|much money) _ (cost|costs|has cost)',
    'how much (is|was|were) _',
    'how expensive (is|was) _',
    'how (much|much money|many dollars) (have|did) (we|i|you) (spent|spend|used|pay|paid)',
    'how (much|much money) (have|did) (we|i|you) (spent|spend|used|pay|paid) (on|for) %',
    'how (much|much money) (we|i|you) (spent|have spent)( on %|)',
    'how (much|much money|many dollars) (has been|was|is) spent( on %|)',
    'what (did|does|has|have) ^ (cost|costs|cost me|cost us)',
    'what _ (cost|costs|has cost)',
    '(what is|what was|what are|what were|tell me|show me|give me|know) the (total |)(cost|costs|bill|price|spending|expense|expenses)',
    '(what is|what was|what are|what were|tell me|show me|give me|know) the (total |)(cost|costs|bill|price) (of|for) _',
    'what the (cost|costs|bill|price)( of _| for _|) (is|are|was|were)',
    'what have (we|i|you) spent( on %|)',
    '(the |)(total |)(cost|costs|bill|price) (of|for) _',
    '(total |)(cost|costs|bill|spending) so far',
    '(cost|costs|the bill)',
  ],
};

const groups = /\(([^()]*)\)/;

/** A line with its alternatives written out. The lines are our own, and each has a handful. */
export const spelledOut = (line: string): string[] => {
  const group = groups.exec(line);
  if (!group) return [line.split(' ').filter(Boolean).join(' ')];
  const before = line.slice(0, group.index);
  const after = line.slice(group.index + group[0].length);
  return (group[1] ?? '').split('|').flatMap((choice) => spelledOut(before + choice + after));
};
