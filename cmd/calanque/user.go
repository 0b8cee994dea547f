package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/postgis"
)

type userCmd struct {
	Add      userAddCmd      `cmd:"" help:"Make an account; without --password-stdin its password is made too, and shown once."`
	List     userListCmd     `cmd:"" help:"List the accounts."`
	Disable  userDisableCmd  `cmd:"" help:"Close an account and end its logins; what it did stays."`
	Password userPasswordCmd `cmd:"" help:"Give an account another password, end its logins, and open it again if it was disabled."`
}

// passwordFlag is how a password arrives. It is never an argument: those are
// seen by everybody on the machine, and kept by the shell.
type passwordFlag struct {
	PasswordStdin bool `help:"Read the password from the first line of standard input."`
}

// password gives what was sent, or makes one; made tells which.
func (f passwordFlag) password(a *app) (password string, made bool, err error) {
	if !f.PasswordStdin {
		return account.NewPassword(), true, nil
	}
	line, err := bufio.NewReader(io.LimitReader(a.stdin, 64<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", false, fmt.Errorf("read the password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", false, geo.Bad(nil, "account.password-none")
	}
	return line, false, nil
}

type userAddCmd struct {
	Login    string `arg:"" help:"What the person signs in with: letters, digits, and . _ - @ after the first."`
	Role     string `required:"" enum:"coordinator,mediator,producer" help:"coordinator runs the hub, mediator the sessions of one ERIC, producer reads what concerns one organisation."`
	ERIC     string `name:"eric" help:"Of a mediator: id of the ERIC in the catalogue file." placeholder:"ID"`
	Producer string `help:"Of a producer: id of the organisation in the catalogue file." placeholder:"ID"`
	Member   string `help:"Of a producer: an editor describes and delivers, a referent also publishes (default)." placeholder:"referent|editor" enum:",referent,editor" default:""`
	passwordFlag
}

// Help shows examples.
func (*userAddCmd) Help() string {
	return `Examples:
  calanque user add coordination --role coordinator
  calanque user add mediatheque --role mediator --eric mediatheque-centre
  calanque user add crige --role producer --producer crige --member referent
  pass show hub | calanque user add coordination --role coordinator --password-stdin

A login is not a name: nobody's name or address is kept. ERICs and producers are
those of the catalogue file (sections erics and producers; then calanque apply).`
}

// Run makes the account.
func (c *userAddCmd) Run(ctx context.Context, a *app) error {
	password, made, err := c.password(a)
	if err != nil {
		return err
	}
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	acc := account.Account{Login: c.Login, Role: account.Role(c.Role), ERIC: c.ERIC, Producer: c.Producer, Member: account.Member(c.Member)}
	if acc.Role == account.Producer && acc.Member == "" {
		acc.Member = account.Referent
	}
	if err := account.Add(ctx, hub.Owner, acc, password); err != nil {
		return err
	}
	a.say(geo.Say("account.added", "login", account.Login(c.Login)))
	if made {
		a.say(geo.Say("account.generated", "password", password))
	}
	return nil
}

type userPasswordCmd struct {
	Login string `arg:"" help:"The account's login."`
	passwordFlag
}

// Help shows examples.
func (*userPasswordCmd) Help() string {
	return `Examples:
  calanque user password mediatheque
  pass show hub | calanque user password coordination --password-stdin`
}

// Run changes the password.
func (c *userPasswordCmd) Run(ctx context.Context, a *app) error {
	password, made, err := c.password(a)
	if err != nil {
		return err
	}
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	if err := account.SetPassword(ctx, hub.Owner, c.Login, password); err != nil {
		return err
	}
	a.say(geo.Say("account.password-set", "login", account.Login(c.Login)))
	if made {
		a.say(geo.Say("account.generated", "password", password))
	}
	return nil
}

type userDisableCmd struct {
	Login string `arg:"" help:"The account's login."`
}

// Help shows an example.
func (*userDisableCmd) Help() string { return "Example:\n  calanque user disable mediatheque" }

// Run closes the account.
func (c *userDisableCmd) Run(ctx context.Context, a *app) error {
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	if err := account.Disable(ctx, hub.Owner, c.Login); err != nil {
		return err
	}
	a.say(geo.Say("account.disabled", "login", account.Login(c.Login)))
	return nil
}

type userListCmd struct {
	JSON bool `name:"json" help:"Print as JSON."`
}

// Help shows examples.
func (*userListCmd) Help() string {
	return "Examples:\n  calanque user list\n  calanque user list --json"
}

// Run prints the accounts, never their passwords.
func (c *userListCmd) Run(ctx context.Context, a *app) error {
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	list, err := account.List(ctx, hub.Owner)
	if err != nil {
		return err
	}
	if c.JSON {
		if list == nil {
			list = []account.Account{}
		}
		return a.printJSON(list)
	}
	if len(list) == 0 {
		a.say(geo.Say("account.none"))
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "LOGIN\tROLE\tOF\tSINCE\tDISABLED")
	for _, acc := range list {
		disabled := ""
		if acc.Disabled != nil {
			disabled = acc.Disabled.Format(time.DateOnly)
		}
		of := acc.ERIC + acc.Producer
		if acc.Member != "" {
			of += " (" + string(acc.Member) + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", acc.Login, acc.Role, of, acc.Created.Format(time.DateOnly), disabled)
	}
	return w.Flush()
}

// say writes a message on standard output.
func (a *app) say(m geo.Message) { fmt.Fprintln(a.stdout, a.sentence(m)) }

// The sample's mediator, and where it works (demo/catalogue.yaml).
const (
	demoLogin = "atelier"
	demoERIC  = "roquebelle"
)

// demoAccounts are the sample's, the mediator first.
var demoAccounts = []account.Account{
	{Login: demoLogin, Role: account.Mediator, ERIC: demoERIC},
	{Login: "producteur", Role: account.Producer, Producer: "crige", Member: account.Referent},
	{Login: "coordination", Role: account.Coordinator},
}

// demoAccountsSetting is where the hub keeps which accounts are the sample's: a
// coordinator belongs to nothing that would tell.
const demoAccountsSetting = "demo-accounts"

// openDemoAccount gives one of the sample's accounts a new password, making it
// when it is not there. Somebody else's account of that name is left alone: the
// password is then "".
func openDemoAccount(ctx context.Context, hub *postgis.Hub, want account.Account) (password string, err error) {
	list, err := account.List(ctx, hub.Owner)
	if err != nil {
		return "", err
	}
	var ours []string
	if _, err := postgis.Setting(ctx, hub.Owner, demoAccountsSetting, &ours); err != nil {
		return "", err
	}
	password = account.NewPassword()
	i := slices.IndexFunc(list, func(acc account.Account) bool { return acc.Login == want.Login })
	switch {
	case i < 0:
		if err := account.Add(ctx, hub.Owner, want, password); err != nil || want.Login == demoLogin || slices.Contains(ours, want.Login) {
			return password, err
		}
		return password, postgis.PutSetting(ctx, hub.Owner, demoAccountsSetting, append(ours, want.Login))
	case isDemoAccount(list[i], ours):
		return password, account.SetPassword(ctx, hub.Owner, want.Login, password)
	}
	return "", nil
}

// isDemoAccount reports whether an account is the sample's own.
func isDemoAccount(acc account.Account, ours []string) bool {
	return slices.Contains(ours, acc.Login) || acc.Login == demoLogin && acc.ERIC == demoERIC
}
