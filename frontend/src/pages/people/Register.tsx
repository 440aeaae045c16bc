import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { me } from "../../api/queries/account";
import { registration } from "../../api/queries/competition";
import { refresh } from "../../api/queries/keys";
import type { OwnRegistration } from "../../api/types";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { Card, FormCard } from "../../ui/Card";
import { Field, Tick } from "../../ui/Field";
import { Prose, Section } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { type Step, stepOf } from "../../words/registering";
import { may } from "../../words/roles";
import styles from "./Register.module.css";

/** What somebody who may submit sees; others see how to register. */
export function Registered({ slug, children }: { slug: string; children: ReactNode }) {
  const query = useQuery(registration(slug));
  return (
    <Await query={query} what="your registration">
      {(own) => (own.admitted ? children : <Shown slug={slug} own={own} step={stepOf(own, true)} />)}
    </Await>
  );
}

/** The card that registers its reader. There is none if nothing is asked of anybody, nor for those who run it. */
export function Register({ slug }: { slug: string }) {
  const { data: own } = useQuery(registration(slug));
  const { data: who } = useQuery(me);
  if (!own || who === undefined || may(own.role, "reviewer")) return null;
  return <Shown slug={slug} own={own} step={stepOf(own, who !== null)} />;
}

function Shown({ slug, own, step }: { slug: string; own: OwnRegistration; step: Step }) {
  if (step === "nothing") return null;
  return (
    <Section title="Registration">
      {step === "form" ? (
        <RegisterForm slug={slug} own={own} />
      ) : (
        <Card>
          <p role="status">
            <Words of={own} step={step} />
          </p>
        </Card>
      )}
    </Section>
  );
}

function Words({ of: { reason }, step }: { of: OwnRegistration; step: Exclude<Step, "form" | "nothing"> }) {
  switch (step) {
    case "sign in":
      return (
        <>
          You need to register for this competition.{" "}
          <Link to="/sign-in" search={{ back: location.pathname + location.search }}>
            Sign in
          </Link>{" "}
          first.
        </>
      );
    case "waiting":
      return "Your registration waits for an organiser. You can submit when you are approved.";
    case "refused":
      return (
        <>
          An organiser refused your registration: <bdi>{reason}</bdi>
        </>
      );
    case "done":
      return "You are registered for this competition.";
  }
}

const ACT = { open: "Register", approval: "Ask to take part", invitation: "Register" } as const;

function RegisterForm({ slug, own }: { slug: string; own: OwnRegistration }) {
  const [accepts, setAccepts] = useState(false);
  const [code, setCode] = useState("");
  const client = useQueryClient();
  const register = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/competitions/{slug}/registration", {
          params: { path: { slug } },
          body: { rules_version: accepts ? own.rules_version : null, code: code.trim() || null },
        }),
      ),
    onSettled: () => refresh(client, "peopling"),
  });
  const asksRules = own.rules_version !== null && own.accepted_version !== own.rules_version;
  const registered = own.state === "accepted";
  return (
    <FormCard onSubmit={() => register.mutate()}>
      {own.registration === "approval" && !registered && <p>An organiser approves who takes part.</p>}
      {registered && <p>The rules have changed. Accept them before you submit again.</p>}
      {asksRules && (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
          <section className={styles.rules} aria-label="Rules" tabIndex={0}>
            <Prose text={own.rules} />
          </section>
          <Tick
            label="I have read the rules and accept them"
            required
            checked={accepts}
            onChange={(event) => setAccepts(event.target.checked)}
          />
        </>
      )}
      {own.registration === "invitation" && !registered && (
        <Field
          label="Invitation code"
          hint="An organiser gives it to you."
          required
          maxLength={200}
          autoComplete="off"
          spellCheck={false}
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
      )}
      <Notice error={register.error} />
      <div>
        <Button type="submit" look="main" busy={register.isPending}>
          {registered ? "Accept the rules" : ACT[own.registration]}
        </Button>
      </div>
    </FormCard>
  );
}
