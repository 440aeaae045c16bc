import { Button } from "./Button";
import styles from "./More.module.css";
import { Notice } from "./states";

interface Props {
  of: {
    hasNextPage: boolean;
    isFetchingNextPage: boolean;
    isFetchNextPageError: boolean;
    error: unknown;
    fetchNextPage: () => Promise<unknown>;
  };
}

/** The way to a listing's next page, where there is one. */
export function More({ of }: Props) {
  if (!of.hasNextPage) return null;
  return (
    <div className={styles.more}>
      {of.isFetchNextPageError && <Notice error={of.error} />}
      <Button busy={of.isFetchingNextPage} onClick={() => void of.fetchNextPage()}>
        Show more
      </Button>
    </div>
  );
}
