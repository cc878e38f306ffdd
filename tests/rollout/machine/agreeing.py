"""What roles sign, what an edit of the content voids, and what people are told or somebody answers for."""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import rule

from rollout.actions.contents import edit_content
from rollout.actions.messages import send_due_notices
from rollout.actions.notice_edits import edit_notice
from rollout.actions.notices import notices_of, plan_notices, waive_notice
from rollout.actions.signing import sign
from rollout.actions.signoffs import hash_to_sign, missing_signoffs, required_of
from rollout.errors import MessageDelayed, MessageRefused
from rollout.models import SYSTEM, Channel, Decision, DeliveryState, Notice, NoticeDelivery, Plan, Signoff
from rollout.states import PlanState, WaveState
from tests.rollout.machine.base import PEOPLE, PHASES, WAVES, Run
from tests.rollout.machine.world import DAY, ROLES, SHOWN, SOON, SURVEY

SUBJECTS = st.integers(0, 2)  # the plan, or one of its phases
SIGNERS = st.sampled_from([*ROLES, "alice", "mallory"])
SOAKS = st.sampled_from([DAY, 2 * DAY])


class Agreeing(Run):
    """Sign, edit and tell."""

    def subject(self, number):
        return self.phase(number - 1) if number else self.plan

    def sign_everything(self, subject):
        """Let every role that is asked sign, as far as it may."""
        for requirement in required_of(subject):
            by = next(name for name, role in ROLES.items() if role == requirement.role)
            if not Signoff.objects.filter(requirement=requirement, content_hash=hash_to_sign(subject)).exists():
                self.try_to(sign, requirement, decision=Decision.APPROVED, content_hash=hash_to_sign(subject), by=by)

    @rule(number=SUBJECTS, by=SIGNERS, decision=st.sampled_from(Decision), is_stale=st.booleans(), which=st.integers(0, 1))
    def sign_one(self, number, by, decision, is_stale, which):
        subject = self.subject(number)
        asked = list(required_of(subject))
        if not asked:
            return
        requirement = asked[which % len(asked)]
        present = hash_to_sign(subject)
        was_decided = Signoff.objects.filter(requirement=requirement, content_hash=present).exists()

        shown = "0" * 64 if is_stale else present
        done = self.try_to(sign, requirement, decision=decision, content_hash=shown, by=by)

        if done:
            assert not was_decided, "a role decided twice on a content"
            assert not is_stale, "another content was signed than the present one"
            assert ROLES.get(by) == requirement.role, f"{by} signed as {requirement.role}"

    @rule(
        number=PHASES,
        change=st.one_of(
            st.tuples(st.just("deferrals"), st.integers(2, 3)),
            st.tuples(st.just("soak"), SOAKS),
            st.tuples(st.just("share"), st.sampled_from([Decimal(30), Decimal(60)])),
        ),
    )
    def edit(self, number, change):
        what, value = change
        if what == "deferrals":
            row, changes = self.plan, {"max_deferrals": value}
        elif what == "soak":
            row, changes = self.phase(number), {"soak": value}
        else:
            row, changes = self.wave(2), {"share": value}
        self._edited(edit_content, row, **changes)

    @rule(name=st.sampled_from([SOON, SHOWN, SURVEY]), text=st.sampled_from(["", " Bye."]), lead=st.none() | SOAKS)
    def edit_a_notice(self, name, text, lead):
        row = Notice.objects.get(name=name)
        body = row.body.removesuffix(" Bye.") + text
        was_sent = row.deliveries.filter(state__in=[DeliveryState.SENT, DeliveryState.FAILED]).exists()
        changes = {"body": body} | ({"lead": lead} if lead and name != SURVEY else {})
        if self._edited(edit_notice, row, **changes) and was_sent:
            assert Notice.objects.get(pk=row.pk).body == row.body, "words that people have were changed"

    def _edited(self, act, row, **changes):
        """Edit, and look that no signature of another content counts."""
        subjects = [self.subject(number) for number in range(3)]
        before, state = [hash_to_sign(each) for each in subjects], self.plan.state
        done = self.try_to(act, row, **changes)
        for subject, former in zip(subjects, before, strict=True):
            present = hash_to_sign(type(subject).objects.get(pk=subject.pk))
            assert done or present == former, "an edit was refused and done"
            asked = required_of(subject)
            if present != former and asked and not Signoff.objects.filter(requirement__in=asked, content_hash=present).exists():
                assert len(missing_signoffs(subject)) == len(asked), f"{subject} was edited, and a former signature counts"
            if present != former and isinstance(subject, Plan):
                assert self.plan.state == (state if state == PlanState.RUNNING else PlanState.DRAFT)
        return done

    @rule()
    def tell(self):
        for wave in (self.wave(number) for number in range(4)):
            if wave.state in {WaveState.LOCKED, WaveState.ANNOUNCED}:
                plan_notices(wave, at=self.clock())
        send_due_notices(at=self.clock(), transport=self.server)

    @rule(number=WAVES, name=st.sampled_from([SOON, SHOWN, SURVEY]), by=st.sampled_from(["dora", SYSTEM, " "]))
    def waive(self, number, name, by):
        done = self.try_to(waive_notice, Notice.objects.get(name=name), self.wave(number), by=by)
        assert done == (by == "dora")

    def waive_all(self, number):
        """Answer by name for every required notice of a wave."""
        for notice in notices_of(self.wave(number)).filter(is_required=True):
            self.try_to(waive_notice, notice, self.wave(number), by="dora")

    @rule(
        number=PEOPLE, trouble=st.sampled_from([None, MessageRefused("no such box"), MessageDelayed("later"), "nobody answers"])
    )
    def trouble_the_mail(self, number, trouble):
        self.server.away = trouble if isinstance(trouble, str) else ""
        self.server.troubles = {} if trouble is None or self.server.away else {self.people[number].email: trouble}

    def check_the_outbox(self):
        """Look that what was sent is what the rows say."""
        mailed = NoticeDelivery.objects.filter(state=DeliveryState.SENT, notice__channel=Channel.EMAIL)
        assert mailed.count() == len(self.server.sent), "the outbox does not say what was sent"
