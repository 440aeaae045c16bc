import type { components } from "./schema";

type Schemas = components["schemas"];

export type Alarmed = Schemas["AlarmedOut"];
export type Campaign = Schemas["CampaignOut"];
export type Certificate = Schemas["CertificateOut"];
export type Checked = Schemas["CheckOut"];
export type Competition = Schemas["CompetitionOut"];
export type Comparison = Schemas["ComparisonOut"];
export type CompetitionDetail = Schemas["CompetitionDetail"];
export type Confidences = Schemas["ConfidencesOut"];
export type Details = Schemas["DetailsOut"];
export type Entry = Schemas["EntryOut"];
export type FailureKind = Schemas["FailureKind"];
export type Histograms = Schemas["HistogramsOut"];
export type Leaderboard = Schemas["LeaderboardOut"];
export type Me = Schemas["MeOut"];
export type Move = Schemas["MoveOut"];
export type NewPhase = Schemas["NewPhase"];
export type OpenEvaluation = Schemas["OpenEvaluationOut"];
export type Phase = Schemas["PhaseOut"];
export type Queue = Schemas["QueueOut"];
export type Quota = Schemas["QuotaOut"];
export type Role = Schemas["Role"];
export type Score = Schemas["ScoreOut"];
export type Submission = Schemas["SubmissionOut"];
export type SubmissionState = Schemas["SubmissionState"];
export type Token = Schemas["TokenOut"];
